// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "nftctl/plan/plan.h"

namespace natctl {

namespace nft {

// One step of a change to our table, in the order in which the kernel is told.
struct AddTable {
    /// The socket that sends it owns the table from then on. One that is there and nobody's becomes its own.
    bool ownable = false;
};
struct DeleteTable {};
struct AddSet {
    SetSpec spec;
};
struct AddHelper {
    HelperObject helper;
};
struct AddElements {
    SetSpec set;
    Elements elements;
    /// There may be others among them.
    Lifetimes lifetimes = {};
};
struct DeleteElements {
    SetSpec set;
    Elements elements;
};
struct AddChain {
    std::string name;
    std::optional<Hook> hook;
};
/// Removes the chain's rules, not the chain.
struct FlushChain {
    std::string name;
};
/// Nothing leads to it any more.
struct DeleteChain {
    std::string name;
};
struct AddRule {
    std::string chain;
    Rule rule;
};

using Change = std::variant<AddTable, DeleteTable, AddSet, AddHelper, AddElements, DeleteElements, AddChain, FlushChain,
                            DeleteChain, AddRule>;

} // namespace nft

/// The difference between two plans, in an order that lets nothing through unguarded at any moment:
/// stale link and placeholder routes go first (the unreachable ones still stand), then the table changes in one
/// atomic batch, then new routes and rules, then stale rules, then stale unreachable routes.
struct Transaction {
    std::vector<Route> remove_routes_first;
    std::vector<nft::Change> changes;
    std::vector<Route> add_routes;
    std::vector<PolicyRule> add_rules;
    std::vector<PolicyRule> remove_rules;
    std::vector<Route> remove_routes_last;

    bool empty() const;
    /// The former table goes, or there is none yet, so that nothing in it stays as it was.
    bool makes_table_anew() const;
};

} // namespace natctl
