// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "nftctl/plan/transaction.h"

namespace natctl {

/// What a change is about, in a line for the log: "table inet natctl", "white4 +1 -1, 3 routes". Empty when nothing
/// changes.
std::string words_for(const Transaction& change);

} // namespace natctl
