// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nftctl/plan/trace.h"
#include "nftctl/site/site.h"

namespace natctl::test {

inline constexpr auto tcp = Protocol::tcp;
inline constexpr auto udp = Protocol::udp;
inline constexpr auto icmp = Protocol::icmp;

Address at(const std::string& text);
Map map(const std::string& virt, const std::string& real);

/// A router as those of the labs.
Facts router();
/// The Internet behind it. `listens`: whether the tunnel runs.
Surroundings around(const Facts& facts, const Site* site, bool listens = true);

/// Site a: b by an interface, c by a proxy, d by an interface that is down.
struct TraceLab {
    TraceLab();

    Site site;
    Facts facts;
    bool listens = true;

    /// What becomes of a flow to port 80. The source "router" is this machine; `in`: where it arrives, if not where
    /// such packets do.
    Trace ask(const std::string& source, const std::string& destination, Protocol protocol = tcp,
              std::optional<std::string> in = {}) const;
};

bool tells(const std::vector<Step>& steps, const std::string& text);

} // namespace natctl::test
