// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/transaction.h"

namespace natctl {

bool Transaction::empty() const {
    return remove_routes_first.empty() && changes.empty() && add_routes.empty() && add_rules.empty() &&
           remove_rules.empty() && remove_routes_last.empty();
}

} // namespace natctl
