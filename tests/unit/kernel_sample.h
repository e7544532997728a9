// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "nftctl/plan/table.h"
#include "nftctl/plan/transaction.h"

namespace natctl::test {

/// A table with every kind of set, field and statement that the plan can hold.
nft::Table sample_table();

/// The same table, written in nft's language by hand.
std::string sample_script();

/// What makes the table where there is none.
std::vector<nft::Change> changes_to_add(const nft::Table& table);

nft::Element range(const std::string& first, const std::string& last);
nft::Element mapping(const std::string& key, const std::string& data);

} // namespace natctl::test
