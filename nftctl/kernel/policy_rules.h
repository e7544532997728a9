// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/kernel/netlink.h"
#include "nftctl/plan/route.h"

namespace natctl {

// Policy routing rules that carry our protocol number. Others are never changed; where one has the same selectors, ours
// stands beside it.

/// Sorted.
std::vector<PolicyRule> read_policy_rules(netlink::Socket& socket);

/// Doing it twice is fine.
void add_policy_rule(netlink::Socket& socket, const PolicyRule& rule);

/// False: it was not there.
bool remove_policy_rule(netlink::Socket& socket, const PolicyRule& rule);

} // namespace natctl
