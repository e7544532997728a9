// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/diff.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <string>
#include <tuple>

namespace natctl {

namespace {

using namespace nft;

template <class T>
std::vector<T> minus(const std::vector<T>& left, const std::vector<T>& right) {
    std::vector<T> result;
    std::ranges::set_difference(left, right, std::back_inserter(result));
    return result;
}

/// By name: there may be two for each interface.
using Chains = std::map<std::string, const Chain*, std::less<>>;

Chains chains_of(const Table& table) {
    Chains chains;
    for (const auto& chain : table.chains) chains.emplace(chain.name, &chain);
    return chains;
}

const Chain* find(const Chains& chains, const std::string& name) {
    const auto found = chains.find(name);
    return found == chains.end() ? nullptr : found->second;
}

/// Sets and base chains are the same things; only what they contain may differ. Other chains may come and go.
bool same_structure(const Table& a, const Table& b) {
    const auto has_set = [&](const Set& set) {
        const auto* found = b.find_set(set.spec.name);
        return found && found->spec == set.spec;
    };
    const auto hooks_alike = [](const Table& table, const Chains& others) {
        return std::ranges::all_of(table.chains, [&](const Chain& chain) {
            const auto* other = find(others, chain.name);
            return other ? other->hook == chain.hook : !chain.hook;
        });
    };
    return a.ownable == b.ownable && a.sets.size() == b.sets.size() && a.helpers == b.helpers &&
           std::ranges::all_of(a.sets, has_set) &&
           (a.chains.shares(b.chains) || (hooks_alike(a, chains_of(b)) && hooks_alike(b, chains_of(a))));
}

void add_rules(std::vector<Change>& changes, const Chain& chain) {
    for (const auto& rule : chain.rules) changes.push_back(AddRule{chain.name, rule});
}

void create(std::vector<Change>& changes, const Table& table) {
    changes.push_back(AddTable{.ownable = table.ownable});
    for (const auto& set : table.sets) changes.push_back(AddSet{set.spec});
    for (const auto& helper : table.helpers) changes.push_back(AddHelper{helper});
    for (const auto& chain : table.chains) changes.push_back(AddChain{chain.name, chain.hook});
    for (const auto& chain : table.chains) add_rules(changes, chain);
    // Elements may lead to chains. After the rules: a rule that is given a map has the kernel look at each element for
    // circles of jumps (nf_tables_bind_set() in net/netfilter/nf_tables_api.c).
    for (const auto& set : table.sets)
        if (!set.elements.empty()) changes.push_back(AddElements{set.spec, set.elements, set.lifetimes});
}

bool same_lifetime(const Set& left, const Set& right, BytesView key) {
    constexpr std::chrono::milliseconds tolerance{250};
    const auto a = left.lifetimes.find(key);
    const auto b = right.lifetimes.find(key);
    if (a == left.lifetimes.end() || b == right.lifetimes.end())
        return (a == left.lifetimes.end()) == (b == right.lifetimes.end());
    return std::chrono::abs(a->second - b->second) < tolerance;
}

/// Elements of both whose lifetimes differ. Sorted.
std::vector<Element> with_other_lifetime(const Set& now, const Set& wanted) {
    std::vector<Element> result;
    if (!wanted.spec.timeout) return result;
    std::ranges::set_intersection(now.elements, wanted.elements, std::back_inserter(result));
    std::erase_if(result, [&](const Element& element) { return same_lifetime(now, wanted, element.first()); });
    return result;
}

void update_elements(std::vector<Change>& changes, const Table& actual, const Table& wanted, OtherLifetime other) {
    std::vector<Change> additions;
    for (const auto& set : wanted.sets) {
        const auto& now = *actual.find_set(set.spec.name);
        if (!set.spec.timeout && now.elements.shares(set.elements)) continue;
        auto gone = minus(now.elements.all(), set.elements.all());
        auto fresh = minus(set.elements.all(), now.elements.all());
        if (other == OtherLifetime::replaced)
            for (const auto& element : with_other_lifetime(now, set)) {
                gone.push_back(element);
                fresh.push_back(element);
            }
        if (!gone.empty()) changes.push_back(DeleteElements{set.spec, std::move(gone)});
        if (!fresh.empty()) additions.push_back(AddElements{set.spec, std::move(fresh), set.lifetimes});
    }
    changes.insert(changes.end(), additions.begin(), additions.end());
}

/// What leads to a chain must come after it, and go before it.
void update(std::vector<Change>& changes, const Table& actual, const Table& wanted, OtherLifetime other) {
    if (actual.chains.shares(wanted.chains)) return update_elements(changes, actual, wanted, other);
    const auto before = chains_of(actual);
    const auto after = chains_of(wanted);
    for (const auto& chain : wanted.chains)
        if (!find(before, chain.name)) changes.push_back(AddChain{chain.name, {}});
    update_elements(changes, actual, wanted, other);
    for (const auto& chain : wanted.chains) {
        const auto* former = find(before, chain.name);
        if (former && former->rules == chain.rules) continue;
        if (former) changes.push_back(FlushChain{chain.name});
        add_rules(changes, chain);
    }
    std::vector<Change> deletions;
    for (const auto& chain : actual.chains) {
        if (find(after, chain.name)) continue;
        changes.push_back(FlushChain{chain.name});
        deletions.push_back(DeleteChain{chain.name});
    }
    changes.insert(changes.end(), deletions.begin(), deletions.end());
}

std::vector<Change> diff_tables(const std::optional<Table>& actual, const std::optional<Table>& wanted,
                                OtherLifetime other) {
    std::vector<Change> changes;
    if (actual && wanted && same_structure(*actual, *wanted)) {
        update(changes, *actual, *wanted, other);
        return changes;
    }
    if (actual) changes.push_back(DeleteTable{});
    if (wanted) create(changes, *wanted);
    return changes;
}

} // namespace

Transaction diff(const Plan& actual, const Plan& wanted, OtherLifetime other) {
    Transaction transaction;
    transaction.changes = diff_tables(actual.table, wanted.table, other);
    transaction.add_routes = minus(wanted.routes, actual.routes);
    transaction.add_rules = minus(wanted.rules, actual.rules);
    transaction.remove_rules = minus(actual.rules, wanted.rules);
    for (const auto& route : minus(actual.routes, wanted.routes)) {
        const auto place = [](const Route& item) { return std::tie(item.table, item.destination); };
        if (std::ranges::binary_search(wanted.routes, place(route), {}, place)) continue;
        (route.table == routing::last_table ? transaction.remove_routes_last : transaction.remove_routes_first)
            .push_back(route);
    }
    return transaction;
}

} // namespace natctl
