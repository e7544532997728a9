// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nftctl/plan/live_flow.h"

namespace natctl {

/// The open flows of a site, as somebody wants them who looks: how many there are, and a few of them.
struct FlowSummary {
    struct Way {
        /// Empty inside the site.
        std::string peer;
        FlowPath path = FlowPath::link;
        auto operator<=>(const Way&) const = default;
    };

    std::uint64_t count = 0;
    /// Of the ways that carry any.
    std::map<Way, std::uint64_t> counts = {};
    /// With the most bytes first, and among equals the newest.
    std::vector<LiveFlow> foremost = {};
};

/// Makes a summary of flows that are told one after the other, at the cost of those that it keeps.
class FlowTally {
public:
    /// How many flows it keeps.
    explicit FlowTally(std::size_t most) : most_(most) {}

    void add(const LiveFlow& flow);
    /// Once, at the end.
    FlowSummary take();

private:
    std::size_t most_;
    /// While flows are told its foremost are a heap with the last of them on top.
    FlowSummary summary_;
};

} // namespace natctl
