// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "nftctl/plan/route.h"
#include "nftctl/plan/table.h"

namespace natctl {

/// What the kernel should hold, or holds, of ours. An empty plan holds nothing.
struct Plan {
    std::optional<nft::Table> table;
    /// Both sorted.
    std::vector<PolicyRule> rules;
    std::vector<Route> routes;

    bool operator==(const Plan&) const = default;
};

} // namespace natctl
