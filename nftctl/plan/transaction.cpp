// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/transaction.h"

#include <algorithm>

namespace natctl {

bool Transaction::empty() const {
    return remove_routes_first.empty() && changes.empty() && add_routes.empty() && add_rules.empty() &&
           remove_rules.empty() && remove_routes_last.empty();
}

bool Transaction::makes_table_anew() const {
    return std::ranges::any_of(changes, [](const nft::Change& change) {
        return std::holds_alternative<nft::AddTable>(change) || std::holds_alternative<nft::DeleteTable>(change);
    });
}

} // namespace natctl
