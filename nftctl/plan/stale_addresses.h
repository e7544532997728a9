// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "nftctl/plan/connection.h"
#include "nftctl/plan/transaction.h"

namespace natctl {

/// Filters that find by exact IPv4 addresses what a change made wrong (StaleFlows), provided that the white list does
/// not hide other names than before. nullopt: the change is about too many addresses for that to pay, or makes the
/// table anew. `router` is the name under which sources without one went out before.
std::optional<std::vector<ConnectionFilter>> filters_by_address(const Transaction& change,
                                                                const std::optional<Address>& router);

} // namespace natctl
