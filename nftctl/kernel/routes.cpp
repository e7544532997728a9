// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/routes.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <optional>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/links.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

/// The metric of a route that names none (IP6_RT_PRIO_USER for IPv6).
std::uint32_t default_metric(Family family) { return family == Family::ipv4 ? 0 : 1024; }

std::string text_of(const Route& route) {
    std::string text = "route " + route.destination.text();
    if (!route.dev.empty()) text += " dev " + route.dev;
    return text + " in table " + std::to_string(route.table);
}

/// A route of whoever.
struct FoundRoute {
    Route route;
    /// 0: of none.
    std::uint32_t interface = 0;
    std::uint8_t protocol = 0;
    std::uint32_t metric = 0;
};

std::optional<RouteType> decode_type(std::uint8_t type) {
    switch (type) {
    case RTN_UNICAST: return RouteType::unicast;
    case RTN_LOCAL: return RouteType::local;
    case RTN_UNREACHABLE: return RouteType::unreachable;
    default: return std::nullopt;
    }
}

std::uint8_t encode_type(RouteType type) {
    switch (type) {
    case RouteType::unicast: return RTN_UNICAST;
    case RouteType::local: return RTN_LOCAL;
    case RouteType::unreachable: return RTN_UNREACHABLE;
    }
    assert(false);
    return RTN_UNSPEC;
}

/// nullopt: of a type that none of ours can be.
std::optional<FoundRoute> parse(const nlmsghdr& message) {
    const auto* const header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    const auto type = decode_type(header->rtm_type);
    // Cached copies of routes are listed among them.
    if (message.nlmsg_type != RTM_NEWROUTE || !type || (header->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
    const Family family = header->rtm_family == AF_INET ? Family::ipv4 : Family::ipv6;
    const std::array<std::uint8_t, 16> zeros{};
    Address destination = Address::from_bytes(family, std::span(zeros).first(address_bits(family) / 8));
    FoundRoute found{.route = {.table = header->rtm_table, .destination = {}, .type = *type},
                     .protocol = header->rtm_protocol};
    netlink::each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
        switch (mnl_attr_get_type(&attribute)) {
        case RTA_TABLE: found.route.table = mnl_attr_get_u32(&attribute); break;
        case RTA_DST: destination = netlink::decode_address(family, attribute).value_or(destination); break;
        case RTA_GATEWAY: found.route.via = netlink::decode_address(family, attribute); break;
        case RTA_PREFSRC: found.route.source = netlink::decode_address(family, attribute); break;
        case RTA_PRIORITY: found.metric = mnl_attr_get_u32(&attribute); break;
        case RTA_OIF: found.interface = mnl_attr_get_u32(&attribute); break;
        default: break;
        }
    });
    found.route.destination = Prefix(destination, header->rtm_dst_len);
    // IPv6 unreachable routes are listed with the interface lo.
    if (*type == RouteType::unreachable) found.interface = 0;
    return found;
}

/// Those with our protocol, or those of one table; the kernel selects, older ones (before 4.20) leave it to us.
struct Selection {
    std::optional<std::uint8_t> protocol = {};
    std::optional<std::uint32_t> table = {};
};

void fill_in_devices(const std::vector<Device>& links, std::vector<FoundRoute>& routes) {
    for (FoundRoute& found : routes) {
        const auto link = std::ranges::find(links, found.interface, &Device::index);
        if (link != links.end()) found.route.dev = link->name;
    }
}

/// False: a route of several ways, which others made with our protocol; or one whose interface went meanwhile and took
/// it along.
bool may_be_ours(const Route& route) { return route.dev.empty() == (route.type == RouteType::unreachable); }

void dump(netlink::Socket& socket, Family family, const Selection& selection, std::vector<FoundRoute>& routes) {
    const auto before = routes.size();
    const int error = dump_route<rtmsg>(
        socket, RTM_GETROUTE,
        [&](netlink::Message& message, rtmsg& header) {
            header.rtm_family = address_family(family);
            header.rtm_protocol = selection.protocol.value_or(RTPROT_UNSPEC);
            if (selection.table) mnl_attr_put_u32(message.header(), RTA_TABLE, *selection.table);
        },
        [&] { routes.resize(before); },
        [&](const nlmsghdr& message) {
            const auto* const header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
            if (header->rtm_family != address_family(family)) return;
            auto found = parse(message);
            if (!found || (selection.protocol && found->protocol != *selection.protocol) ||
                (selection.table && found->route.table != *selection.table))
                return;
            routes.push_back(std::move(*found));
        });
    // No such table; or no IPv6 in this kernel.
    if (error != 0 && error != ENOENT && error != EAFNOSUPPORT && error != EOPNOTSUPP)
        throw SystemError("read", "routes", error);
}

void put_address(netlink::Message& message, std::uint16_t type, const Address& address) {
    mnl_attr_put(message.header(), type, address.bytes().size(), address.bytes().data());
}

/// nullopt: its interface does not exist.
std::optional<netlink::Message> make_message(netlink::Socket& socket, const Route& route, std::uint16_t type,
                                             std::uint16_t flags) {
    assert(!route.via || route.via->family() == route.destination.family());
    assert(may_be_ours(route));
    netlink::Message message(type, flags);
    auto* const header = message.put_extra<rtmsg>();
    header->rtm_family = address_family(route.destination.family());
    header->rtm_dst_len = static_cast<std::uint8_t>(route.destination.length());
    header->rtm_protocol = route_protocol;
    header->rtm_type = encode_type(route.type);
    if (type == RTM_DELROUTE)
        header->rtm_scope = RT_SCOPE_NOWHERE;
    else if (route.type == RouteType::local)
        header->rtm_scope = RT_SCOPE_HOST;
    else
        header->rtm_scope = route.via || route.dev.empty() ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    mnl_attr_put_u32(message.header(), RTA_TABLE, route.table);
    if (route.destination.length() != 0) put_address(message, RTA_DST, route.destination.network());
    if (route.via) {
        // A link that has no address yet, or lost it, must not make the kernel refuse the route and with it the plan.
        header->rtm_flags = RTNH_F_ONLINK;
        put_address(message, RTA_GATEWAY, *route.via);
    }
    if (route.source) put_address(message, RTA_PREFSRC, *route.source);
    if (!route.dev.empty()) {
        const auto link = find_link(socket, route.dev);
        if (!link) return std::nullopt;
        mnl_attr_put_u32(message.header(), RTA_OIF, link->index);
    }
    return message;
}

std::string remedy(const Route& route, const netlink::Answer& answer) {
    if (answer.error == EPERM) return "run it as root";
    std::string text;
    if (answer.error == EACCES && !route.dev.empty() && route.destination.family() == Family::ipv6)
        text = "IPv6 is off there: sysctl -w net.ipv6.conf." + route.dev + ".disable_ipv6=0";
    if (answer.error == ENETDOWN) text = "interface " + route.dev + " is down: ip link set " + route.dev + " up";
    // "Nexthop has invalid gateway", "Gateway can not be a local address"; otherwise it is the source that is meant.
    if (answer.error == EINVAL && route.via && answer.text.find("ateway") != std::string::npos)
        text = route.via->text() + " must be the other router's address, a neighbour on " + route.dev +
               ": mend via in site.toml";
    else if (answer.error == EINVAL && route.source)
        text = route.source->text() + " must be an address of this machine";
    if (!answer.text.empty()) text += (text.empty() ? "the kernel says: " : "; the kernel says: ") + answer.text;
    return text;
}

netlink::Answer send(netlink::Socket& socket, const Route& route, std::uint16_t flags) {
    auto message = make_message(socket, route, RTM_NEWROUTE, static_cast<std::uint16_t>(NLM_F_CREATE | flags));
    if (!message) throw SystemError("add", text_of(route), ENODEV, "there is no interface " + route.dev);
    return socket.request(*message);
}

/// Whether the route stands already. Throws where what stands in its place is not ours to replace.
bool stands(netlink::Socket& socket, const Route& route) {
    const Family family = route.destination.family();
    bool same = false;
    std::vector<FoundRoute> routes;
    dump(socket, family, {.table = route.table}, routes);
    fill_in_devices(read_links(socket), routes);
    for (const FoundRoute& found : routes) {
        if (found.route.destination != route.destination || found.metric != default_metric(family)) continue;
        if (found.protocol != route_protocol)
            throw SystemError("add", text_of(route), EEXIST,
                              "somebody else's route (protocol " + std::to_string(found.protocol) +
                                  ") stands there: remove it, table " + std::to_string(route.table) + " is natctl's");
        same = same || found.route == route;
    }
    return same;
}

void put_route(netlink::Socket& socket, const Route& route) {
    netlink::Answer answer = send(socket, route, NLM_F_EXCL);
    if (answer.error == EEXIST) {
        if (stands(socket, route)) return;
        answer = send(socket, route, NLM_F_REPLACE);
    }
    if (answer.error != 0) throw SystemError("add", text_of(route), answer.error, remedy(route, answer));
}

} // namespace

std::vector<Route> read_routes(netlink::Socket& socket, const std::vector<Device>& links) {
    std::vector<FoundRoute> found;
    for (const Family family : {Family::ipv4, Family::ipv6}) dump(socket, family, {.protocol = route_protocol}, found);
    fill_in_devices(links, found);
    std::vector<Route> routes;
    for (FoundRoute& one : found)
        if (may_be_ours(one.route)) routes.push_back(std::move(one.route));
    std::ranges::sort(routes);
    return routes;
}

void add_route(netlink::Socket& socket, const Route& route) {
    try {
        put_route(socket, route);
    } catch (const SystemError& error) {
        throw RouteRefused(route, error);
    }
}

bool remove_route(netlink::Socket& socket, const Route& route) {
    auto message = make_message(socket, route, RTM_DELROUTE, 0);
    if (!message) return false;
    const netlink::Answer answer = socket.request(*message);
    // ENODEV, ENETDOWN: the interface went since we looked, and the route with it.
    for (const int gone : {ESRCH, ENOENT, ENODEV, ENETDOWN})
        if (answer.error == gone) return false;
    if (answer.error != 0) throw SystemError("delete", text_of(route), answer.error, remedy(route, answer));
    return true;
}

} // namespace natctl
