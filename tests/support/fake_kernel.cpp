// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/fake_kernel.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "nftctl/base/error.h"
#include "nftctl/kernel/refusal.h"
#include "nftctl/plan/identity.h"
#include "tests/support/fake_table.h"

namespace natctl::test {

namespace {

std::string text_of(const Route& route) {
    return "route " + route.destination.text() + (route.dev.empty() ? "" : " dev " + route.dev) + " in table " +
           std::to_string(route.table);
}

bool same_place(const Route& left, const Route& right) {
    return left.table == right.table && left.destination == right.destination;
}

std::vector<nft::Lifetimes> lifetimes_of(const std::optional<nft::Table>& table) {
    std::vector<nft::Lifetimes> lifetimes;
    if (!table) return lifetimes;
    for (const auto& set : table->sets) lifetimes.push_back(set.lifetimes);
    return lifetimes;
}

template <class Items>
bool erase(Items& items, const auto& item) {
    const auto found = std::ranges::find(items, item);
    if (found == items.end()) return false;
    items.erase(found);
    return true;
}

} // namespace

void FakeKernel::set_plan(Plan plan) {
    if (plan.table != plan_.table) ++generation_;
    plan_ = std::move(plan);
}

Snapshot FakeKernel::read() {
    ++reads;
    return {.plan = plan_, .generation = generation_};
}

bool FakeKernel::holds(const Plan& plan) {
    const auto identity = identity_of(plan);
    if (!identity || identity_ != identity || identity_generation_ != generation_) return false;
    const auto is_in_place = [this](const nft::Set& set) {
        const auto* const found = plan_.table->find_set(set.spec.name);
        return !set.spec.timeout || (found && *found == set);
    };
    return std::ranges::all_of(plan.table->sets, is_in_place) && plan.rules == plan_.rules &&
           plan.routes == plan_.routes;
}

void FakeKernel::remember(const Plan& plan, std::uint32_t generation) {
    identity_ = identity_of(plan);
    identity_generation_ = generation;
}

int FakeKernel::injected(Step step, std::size_t index) {
    if (!failure_ || failure_->step != step || failure_->index != index) return 0;
    return std::exchange(failure_, std::nullopt)->error;
}

CommitResult FakeKernel::commit(const Transaction& transaction, std::uint32_t generation) {
    const auto is_stale = [&] { return !transaction.changes.empty() && generation != 0 && generation != generation_; };
    if (is_stale()) return CommitResult::stale;

    std::vector<Route> removed;
    for (std::size_t index = 0; index < transaction.remove_routes_first.size(); ++index)
        if (remove(transaction.remove_routes_first[index], Step::remove_routes_first, index))
            removed.push_back(transaction.remove_routes_first[index]);
    if (std::exchange(interfere_, false)) ++generation_;
    if (is_stale()) {
        std::ranges::copy(removed, std::back_inserter(plan_.routes));
        std::ranges::sort(plan_.routes);
        return CommitResult::stale;
    }

    if (std::exchange(expire_, false)) remove_expired();
    change_table(transaction.changes);
    if (lost_answers_ > 0) {
        --lost_answers_;
        throw SystemError("change", "table inet natctl", ENOBUFS);
    }
    for (std::size_t index = 0; index < transaction.add_routes.size(); ++index)
        add(transaction.add_routes[index], index);
    for (std::size_t index = 0; index < transaction.add_rules.size(); ++index) {
        const PolicyRule& rule = transaction.add_rules[index];
        if (const int error = injected(Step::add_rules, index)) throw SystemError("add", "policy rule", error);
        if (std::ranges::find(plan_.rules, rule) == plan_.rules.end()) plan_.rules.push_back(rule);
        std::ranges::sort(plan_.rules);
    }
    for (std::size_t index = 0; index < transaction.remove_rules.size(); ++index) {
        if (const int error = injected(Step::remove_rules, index)) throw SystemError("delete", "policy rule", error);
        erase(plan_.rules, transaction.remove_rules[index]);
    }
    for (std::size_t index = 0; index < transaction.remove_routes_last.size(); ++index)
        remove(transaction.remove_routes_last[index], Step::remove_routes_last, index);
    ++commits;
    return CommitResult::done;
}

std::vector<Connection> FakeKernel::find_connections(std::span<const ConnectionFilter> filters,
                                                     const WantedConnection& wanted) {
    if (connection_failure) throw SystemError("read", "the table of connections", *connection_failure);
    std::vector<Connection> found;
    for (const ConnectionFilter& filter : filters) {
        ++connection_walks;
        std::ranges::copy_if(connections, std::back_inserter(found),
                             [&](const Connection& c) { return filter.matches(c) && wanted(c); });
    }
    return found;
}

std::size_t FakeKernel::remove_connections(std::span<const Connection> gone) {
    if (connection_failure) throw SystemError("delete", "a connection", *connection_failure);
    std::size_t removed = 0;
    for (const Connection& connection : gone)
        removed += std::erase_if(connections, [&](const Connection& other) {
            return other.original == connection.original && other.protocol == connection.protocol &&
                   other.zone == connection.zone && other.id == connection.id;
        });
    return removed;
}

void FakeKernel::change_table(const std::vector<nft::Change>& changes) {
    if (changes.empty()) return;
    std::optional<nft::Table> table = plan_.table;
    for (std::size_t index = 0; index < changes.size(); ++index) {
        int error = injected(Step::changes, index);
        if (error == 0) error = apply_change(table, changes[index]);
        if (error != 0) throw nft::refusal(changes[index], {.error = error});
    }
    // A batch that leaves everything as it was does not count.
    if (plan_.table != table || lifetimes_of(plan_.table) != lifetimes_of(table)) ++generation_;
    plan_.table = std::move(table);
}

void FakeKernel::remove_expired() {
    if (!plan_.table) return;
    for (auto& set : plan_.table->sets) {
        std::erase_if(set.elements.edit(), [&](const nft::Element& e) { return set.lifetimes.contains(e.first()); });
        set.lifetimes.clear();
    }
}

void FakeKernel::add(const Route& route, std::size_t index) {
    int error = injected(Step::add_routes, index);
    if (error == 0 && !route.dev.empty() && route.dev != "lo") {
        const Interface* const interface = facts.find(route.dev);
        if (interface == nullptr)
            error = ENODEV;
        else if (!interface->up)
            error = ENETDOWN;
    }
    if (std::ranges::any_of(foreign_routes, [&](const Route& other) { return same_place(other, route); }))
        error = EEXIST;
    if (error != 0) throw SystemError("add", text_of(route), error);
    std::erase_if(plan_.routes, [&](const Route& other) { return same_place(other, route); });
    plan_.routes.push_back(route);
    std::ranges::sort(plan_.routes);
}

bool FakeKernel::remove(const Route& route, Step step, std::size_t index) {
    if (const int error = injected(step, index)) throw SystemError("delete", text_of(route), error);
    return erase(plan_.routes, route);
}

} // namespace natctl::test
