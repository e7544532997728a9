// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace_fields.h"

#include <algorithm>

#include "nftctl/plan/kernel_numbers.h"

namespace natctl::nft {

namespace {

constexpr const char* loopback = "lo";

bool is_multicast(const Address& address) {
    static const Prefix ipv4 = *Prefix::parse("224.0.0.0/4");
    static const Prefix ipv6 = *Prefix::parse("ff00::/8");
    return ipv4.contains(address) || ipv6.contains(address);
}

bool is_broadcast(const Facts& facts, const Address& address) {
    if (address.family() != Family::ipv4) return false;
    if (address == Address::v4(0xffffffff)) return true;
    // Networks of one or two addresses have none (RFC 3021).
    constexpr unsigned longest = 30;
    return std::ranges::any_of(facts.interfaces, [&](const Interface& interface) {
        return std::ranges::any_of(interface.addresses, [&](const InterfaceAddress& assigned) {
            return assigned.address.family() == Family::ipv4 && assigned.length <= longest &&
                   Prefix(assigned.address, assigned.length).last() == address;
        });
    });
}

std::uint32_t type_of(const Surroundings& surroundings, const Address& address, const std::optional<Hop>& hop) {
    if (is_multicast(address)) return type_multicast;
    if (is_broadcast(surroundings.facts, address)) return type_broadcast;
    return hop && hop->type == RouteType::local ? type_local : type_unicast;
}

bool is_way(const std::optional<Hop>& hop, Family family) {
    if (!hop || hop->type != RouteType::unicast) return false;
    // An IPv6 route to lo is a refusal to the kernel (net/ipv6/route.c: "cannot add true routes via loopback").
    return family == Family::ipv4 || hop->dev != loopback;
}

} // namespace

FieldValue field_value(const Plan& plan, const Surroundings& surroundings, Field field, const Packet& packet,
                       const Connection& connection) {
    const auto route_to = [&](const Address& address) { return find_route(plan, surroundings, address, loopback, 0); };
    switch (field) {
    case Field::fib_daddr_oif: {
        const auto hop = route_to(packet.destination);
        if (!is_way(hop, packet.family())) return 0u;
        if (hop->dev == loopback) return loopback_index;
        const auto* interface = surroundings.facts.find(hop->dev);
        return interface ? interface->index : 0u;
    }
    case Field::fib_daddr_oif_present: return is_way(route_to(packet.destination), packet.family()) ? 1u : 0u;
    case Field::fib_daddr_type: return type_of(surroundings, packet.destination, route_to(packet.destination));
    case Field::fib_saddr_type: return type_of(surroundings, packet.source, route_to(packet.source));
    // A first packet and its answer belong to no socket yet.
    case Field::socket_transparent:
    case Field::socket_wildcard: return {};
    default: return packet_field(field, packet, connection);
    }
}

} // namespace natctl::nft
