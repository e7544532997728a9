// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/linux_kernel.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <linux/netlink.h>

#include "nftctl/kernel/conntrack.h"
#include "nftctl/kernel/facts.h"
#include "nftctl/kernel/guards.h"
#include "nftctl/kernel/kernel_switch.h"
#include "nftctl/kernel/link_list.h"
#include "nftctl/kernel/memory.h"
#include "nftctl/kernel/nftables.h"
#include "nftctl/kernel/policy_rules.h"
#include "nftctl/kernel/routes.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/identity.h"

namespace natctl {

namespace {

class LinuxKernel : public Kernel {
public:
    explicit LinuxKernel(KernelSources sources)
        : sources_(std::move(sources)),
          tables_(sources_.tables ? sources_.tables : std::make_shared<nft::Nftables>()) {
        if (!sources_.run_dir.empty()) memory_.emplace(sources_.run_dir);
    }

    Facts read_facts(const Site& site) override {
        Facts facts{.interfaces = read_interfaces(route_socket_, links_.read(route_socket_))};
        facts.forwarding4 = forwarding4_.is_on();
        facts.forwarding6 = forwarding6_.is_on();
        find_guards(site, facts);
        facts.endpoints = sources_.endpoints_of ? sources_.endpoints_of(site) : sources_.endpoints;
        if (sources_.white_now) facts.white_now = sources_.white_now();
        if (sources_.adjust) sources_.adjust(site, facts);
        return facts;
    }

    Snapshot read() override {
        auto state = make_again();
        if (!state) state = tables_->read();
        return {.plan = {.table = std::move(state->table),
                         .rules = read_policy_rules(route_socket_),
                         .routes = read_routes(route_socket_, links_.read(route_socket_))},
                .generation = state->generation};
    }

    CommitResult commit(const Transaction& transaction, std::uint32_t generation) override {
        const std::vector<Route> removed = remove_first(transaction, generation);
        if (tables_->commit(transaction.changes, generation) == CommitResult::stale) {
            for (const Route& route : removed) add_route(route_socket_, route);
            return CommitResult::stale;
        }
        for (const Route& route : transaction.add_routes) add_route(route_socket_, route);
        for (const PolicyRule& rule : transaction.add_rules) add_policy_rule(route_socket_, rule);
        for (const PolicyRule& rule : transaction.remove_rules) remove_policy_rule(route_socket_, rule);
        for (const Route& route : transaction.remove_routes_last) remove_route(route_socket_, route);
        return CommitResult::done;
    }

    bool holds(const Plan& plan) override {
        if (sources_.tables && plan.table && plan.table->ownable) take_over();
        const auto known = known_table();
        if (!known || identity_of(plan) != known->identity) return false;
        const auto is_in_place = [this](const nft::Set& set) {
            nft::Set found{set.spec, {}};
            return !set.spec.timeout || (tables_->read_elements(found) && found == set);
        };
        if (!std::ranges::all_of(plan.table->sets, is_in_place)) return false;
        const bool newer = !kept_ || kept_->generation != known->generation;
        if (sources_.keep_table && newer) kept_ = {*plan.table, known->generation};
        return read_policy_rules(route_socket_) == plan.rules &&
               read_routes(route_socket_, links_.read(route_socket_)) == plan.routes;
    }

    void remember(const Plan& plan, std::uint32_t generation) override {
        const auto identity = identity_of(plan);
        if (!identity || !memory_) return;
        seen_ = {.generation = generation, .identity = *identity};
        memory_->keep(*seen_);
        if (sources_.keep_table) kept_ = {*plan.table, generation};
    }

    std::vector<Connection> find_connections(std::span<const ConnectionFilter> filters,
                                             const WantedConnection& wanted) override {
        return conntrack_.find(filters, wanted);
    }

    std::size_t remove_connections(std::span<const Connection> connections) override {
        return conntrack_.remove(connections);
    }

private:
    /// What an agent before this one owned. Nothing in it changes by that.
    void take_over() {
        const auto generation = tables_->generation();
        if (tables_->take_over(generation) && memory_) memory_->follow(generation + 1, generation + 1);
    }

    /// What the table is, but for elements with a lifetime, which go by themselves; nullopt when somebody changed any
    /// table since it was seen last.
    std::optional<Memory::Seen> known_table() {
        const auto generation = tables_->generation();
        if (seen_ && seen_->generation == generation) return seen_;
        seen_.reset();
        const auto seen = memory_ ? memory_->recall() : std::nullopt;
        if (!seen || generation != seen->generation) return std::nullopt;
        // The record may be of another namespace that had the same number.
        nft::Set identity{identity_spec(), {}};
        if (!tables_->read_elements(identity) || identity_of(identity.elements) != seen->identity) return std::nullopt;
        seen_ = seen;
        return seen_;
    }

    std::optional<nft::Nftables::State> make_again() {
        const auto known = known_table();
        // Whoever reads it changes it, or remembers it again.
        auto kept = std::exchange(kept_, std::nullopt);
        if (!known) return std::nullopt;
        // Since then nobody has changed any table, and not only that part of ours which has an identity.
        const bool untouched = kept && kept->generation == known->generation;
        Plan plan;
        if (kept) plan.table = std::move(kept->table);
        if (identity_of(plan) != known->identity) {
            const auto site = sources_.applied ? sources_.applied() : std::nullopt;
            if (!site) return std::nullopt;
            plan = compile(*site, read_facts(*site));
        }
        if (identity_of(plan) != known->identity) return std::nullopt;
        for (auto& set : plan.table->sets) {
            // Elements with a lifetime go by themselves, but do not come so.
            if (!set.spec.timeout || (untouched && set.elements.empty())) continue;
            if (!tables_->read_elements(set)) return std::nullopt;
        }
        return nft::Nftables::State{.table = std::move(plan.table), .generation = known->generation};
    }

    /// Routes that have to go before the table changes, unless the table changed already and would be refused. Should
    /// it change after this look, commit() puts them back: between the two the unreachable routes below them stand.
    std::vector<Route> remove_first(const Transaction& transaction, std::uint32_t generation) {
        std::vector<Route> removed;
        if (transaction.remove_routes_first.empty()) return removed;
        if (!transaction.changes.empty() && generation != 0 && tables_->generation() != generation) return removed;
        for (const Route& route : transaction.remove_routes_first)
            if (remove_route(route_socket_, route)) removed.push_back(route);
        return removed;
    }

    KernelSources sources_;
    std::optional<Memory> memory_;
    /// What the table was seen to be by this one itself.
    std::optional<Memory::Seen> seen_;
    /// The table that was seen last, and when, if it is to be kept.
    struct Kept {
        nft::Table table;
        std::uint32_t generation = 0;
    };
    std::optional<Kept> kept_;
    std::shared_ptr<nft::Nftables> tables_;
    Conntrack conntrack_;
    netlink::Socket route_socket_{NETLINK_ROUTE};
    LinkList links_;
    KernelSwitch forwarding4_{"/proc/sys/net/ipv4/ip_forward"};
    KernelSwitch forwarding6_{"/proc/sys/net/ipv6/conf/all/forwarding"};
};

} // namespace

std::unique_ptr<Kernel> make_linux_kernel(KernelSources sources) {
    return std::make_unique<LinuxKernel>(std::move(sources));
}

} // namespace natctl
