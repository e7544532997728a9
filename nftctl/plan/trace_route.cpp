// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "nftctl/plan/trace.h"
#include "nftctl/plan/trace_ways.h"
#include "nftctl/plan/translator.h"

namespace natctl {

namespace {

constexpr const char* loopback = "lo";

/// The longest prefix of the table that holds the address.
const Route* look_up(const Plan& plan, std::uint32_t table, const Address& destination) {
    const Route* best = nullptr;
    for (const auto& route : plan.routes)
        if (route.table == table && route.destination.contains(destination) &&
            (!best || route.destination.length() > best->destination.length()))
            best = &route;
    return best;
}

bool selects(const PolicyRule& rule, Family family, const std::string& in, std::uint32_t mark) {
    return rule.family == family && (rule.iif.empty() || rule.iif == in) &&
           (!rule.fwmark || (mark & rule.fwmark->mask) == rule.fwmark->value);
}

} // namespace

bool is_own_address(const Facts& facts, const Address& address) {
    if (address.is_loopback()) return true;
    return std::ranges::any_of(facts.interfaces, [&](const Interface& interface) {
        return std::ranges::any_of(interface.addresses,
                                   [&](const InterfaceAddress& assigned) { return assigned.address == address; });
    });
}

std::optional<Address> address_on(const Facts& facts, const std::string& name, const Address& destination) {
    const auto* interface = facts.find(name);
    if (!interface) return std::nullopt;
    std::optional<Address> first;
    for (const auto& assigned : interface->addresses) {
        if (assigned.address.family() != destination.family()) continue;
        if (Prefix(assigned.address, assigned.length).contains(destination)) return assigned.address;
        if (!first) first = assigned.address;
    }
    return first;
}

std::optional<Hop> find_route(const Plan& plan, const Surroundings& surroundings, const Address& destination,
                              const std::string& in, std::uint32_t mark) {
    // The kernel's own rule 0: the local table.
    if (is_own_address(surroundings.facts, destination)) return Hop{.type = RouteType::local, .dev = loopback};
    for (const auto& rule : plan.rules) {
        if (!selects(rule, destination.family(), in, mark)) continue;
        if (const auto* route = look_up(plan, rule.table, destination))
            return Hop{.type = route->type, .dev = route->dev, .via = route->via, .source = route->source};
    }
    return surroundings.other_route ? surroundings.other_route(destination) : std::nullopt;
}

std::optional<Hop> connected_route(const Facts& facts, const Address& destination) {
    std::optional<Hop> best;
    unsigned length = 0;
    for (const auto& interface : facts.interfaces)
        for (const auto& assigned : interface.addresses)
            if (interface.up && (!best || assigned.length > length) &&
                Prefix(assigned.address, assigned.length).contains(destination)) {
                best = Hop{.dev = interface.name, .source = assigned.address};
                length = assigned.length;
            }
    return best;
}

std::optional<Address> sent_as(const Plan& plan, const Address& sender) {
    const Translator translator(plan, sender.family());
    if (translator.is_embedding(sender)) return embedded_in(sender);
    return translator.is_own(sender) ? translator.real_of(sender) : sender;
}

std::optional<std::string> arrival(const Plan& plan, const Surroundings& surroundings, const Address& source) {
    if (is_own_address(surroundings.facts, source)) return std::nullopt;
    if (plan.table) {
        if (auto interface = nft::way_to(*plan.table, source)) return interface;
        if (auto interface = nft::way_from(*plan.table, source)) return interface;
    }
    const auto hop = find_route(plan, surroundings, source, {}, 0);
    if (!hop || hop->type != RouteType::unicast || hop->dev == loopback) return std::nullopt;
    return hop->dev;
}

} // namespace natctl
