// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include "nftctl/plan/transaction.h"

namespace natctl::test {

/// Does to `table` what the kernel would do; nullopt is no table. Returns 0, or the errno that the kernel refuses the
/// change with; the table is then in no defined state.
int apply_change(std::optional<nft::Table>& table, const nft::Change& change);

} // namespace natctl::test
