// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "nftctl/plan/transaction.h"

namespace natctl {

/// What a change is about, in a line for the log: "table inet natctl", "white4 +1 -1, 3 routes". Empty when nothing
/// changes.
std::string words_for(const Transaction& change);

/// "a, b, c, d, e and 12 more"
std::string few_of(const std::vector<std::string>& list);

} // namespace natctl
