// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Hysteresis for links: an interface that went down is believed at once, and when it is up again only after it has
/// stayed so for a while, unless a peer has no other way. New flows do not follow a link that flaps.
class LinkHold {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    explicit LinkHold(Duration hold) : hold_(hold) {}

    /// Takes note of the interfaces as they are, and makes those that are not believed yet look down.
    void adjust(const Site& site, Facts& facts, Time now);

    /// When the next one is to be believed; Time::max(): none is waiting.
    Time due() const;

    /// Since the last call: "ov0 is down: ...", a line each.
    std::vector<std::string> messages();

private:
    struct Interface {
        bool up = false;
        /// It was up before it went down.
        bool failed = false;
        /// As of the last look it was taken for down although it was up.
        bool held = false;
        /// When it came up.
        Time since{};
    };

    Duration hold_;
    /// Those of links, by name.
    std::map<std::string, Interface> interfaces_;
    std::vector<std::string> messages_;
};

} // namespace natctl
