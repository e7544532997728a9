// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "nftctl/site/site.h"

namespace natctl {

/// What needs routes of its own.
struct OwnNetwork {
    Prefix virtual_prefix;
    /// Absent: hosts of whatever network.
    std::optional<Prefix> real_prefix;
};

/// Nothing under a wider prefix. Hosts side by side are one network: a kernel takes a second for 65,536 routes.
std::vector<OwnNetwork> own_networks(const std::vector<Map>& maps);

} // namespace natctl
