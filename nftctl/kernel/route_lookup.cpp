// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/route_lookup.h"

#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "nftctl/kernel/netlink.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

Hop parse(const nlmsghdr& message, Family family) {
    const auto* const header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    Hop hop;
    if (header->rtm_type == RTN_LOCAL) hop.type = RouteType::local;
    netlink::each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
        switch (mnl_attr_get_type(&attribute)) {
        case RTA_GATEWAY: hop.via = netlink::decode_address(family, attribute); break;
        case RTA_PREFSRC: hop.source = netlink::decode_address(family, attribute); break;
        case RTA_OIF: {
            std::array<char, IF_NAMESIZE> name{};
            if (::if_indextoname(mnl_attr_get_u32(&attribute), name.data())) hop.dev = name.data();
            break;
        }
        default: break;
        }
    });
    return hop;
}

/// "0100007F:3039": each group of four bytes is a number in the machine's order.
std::optional<Endpoint> parse_socket(Family family, std::string_view text) {
    const std::size_t digits = address_bits(family) / 4;
    if (text.size() != digits + 5 || text[digits] != ':') return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < digits; i += 8) {
        std::uint32_t word = 0;
        std::from_chars(text.data() + i, text.data() + i + 8, word, 16);
        std::memcpy(bytes.data() + i / 2, &word, sizeof word);
    }
    Endpoint result{Address::from_bytes(family, std::span(bytes).first(address_bits(family) / 8)), 0};
    std::from_chars(text.data() + digits + 1, text.data() + text.size(), result.port, 16);
    return result;
}

} // namespace

std::optional<Hop> look_up_route(const Address& destination) {
    netlink::Socket socket(NETLINK_ROUTE);
    const Family family = destination.family();
    netlink::Message message(RTM_GETROUTE, 0);
    auto* const header = message.put_extra<rtmsg>();
    header->rtm_family = address_family(family);
    header->rtm_dst_len = static_cast<std::uint8_t>(destination.bits());
    mnl_attr_put(message.header(), RTA_DST, destination.bytes().size(), destination.bytes().data());
    std::optional<Hop> hop;
    bool refused = false;
    const auto answer = socket.request(message, [&](const nlmsghdr& found) {
        if (found.nlmsg_type != RTM_NEWROUTE) return;
        // IPv6 tells refusing routes as routes (net/ipv6/route.c: inet6_rtm_getroute()).
        const auto type = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&found))->rtm_type;
        refused = type != RTN_UNICAST && type != RTN_LOCAL;
        hop = parse(found, family);
    });
    if (answer.error != 0 || refused) return std::nullopt;
    return hop;
}

std::optional<std::string> overruled(const Plan& plan, const Facts& facts, const Address& destination) {
    constexpr const char* loopback = "lo";
    const auto ours = find_route(plan, {.facts = facts, .other_route = {}, .listens = {}}, destination, loopback, 0);
    if (!ours || ours->type == RouteType::local) return std::nullopt;
    const auto actual = look_up_route(destination);
    const bool leaves = actual && actual->type == RouteType::unicast && actual->dev != loopback;
    // Placeholders and unreachable routes of ours look different in IPv4 and IPv6; what counts is that nothing leaves.
    const bool same =
        ours->type == RouteType::unicast && ours->dev != loopback ? leaves && actual->dev == ours->dev : !leaves;
    if (same) return std::nullopt;
    return fmt::format(
        "somebody else's policy rule leads {} {} before natctl's rules (6000 to 6005) are asked: ip rule",
        destination.text(), leaves ? "to " + actual->dev : "nowhere");
}

bool listens(const Endpoint& at, Protocol protocol) {
    // include/net/tcp_states.h: TCP_LISTEN; of UDP sockets TCP_CLOSE, which are unconnected.
    const std::string listening = protocol == Protocol::tcp ? "0A" : "07";
    const std::string name = protocol == Protocol::tcp ? "tcp" : "udp";
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        std::ifstream table("/proc/thread-self/net/" + name + (family == Family::ipv4 ? "" : "6"));
        std::string line;
        std::getline(table, line);
        std::string number;
        std::string local;
        std::string remote;
        std::string state;
        while (table >> number >> local >> remote >> state && std::getline(table, line)) {
            const auto found = state == listening ? parse_socket(family, local) : std::nullopt;
            if (!found || found->port != at.port) continue;
            // [::] takes IPv4 too.
            if (found->address.unmapped() == at.address ||
                (found->address.is_unspecified() && (family == Family::ipv6 || at.address.family() == family)))
                return true;
        }
    }
    return false;
}

} // namespace natctl
