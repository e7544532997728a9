// SPDX-License-Identifier: GPL-3.0-or-later
#include <array>
#include <span>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "nftctl/doctor/examine.h"
#include "nftctl/doctor/look.h"

namespace natctl::doctor {

namespace {

ListeningSocket parse(const nlmsghdr& message) {
    const auto* const header = static_cast<const inet_diag_msg*>(mnl_nlmsg_get_payload(&message));
    const Family family = header->idiag_family == AF_INET ? Family::ipv4 : Family::ipv6;
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(header->id.idiag_src);
    ListeningSocket socket{.endpoint = {Address::from_bytes(family, std::span(bytes, address_bits(family) / 8)),
                                        ntohs(header->id.idiag_sport)},
                           .dual = family == Family::ipv6};
    netlink::each_attribute(message, sizeof(inet_diag_msg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == INET_DIAG_SKV6ONLY && mnl_attr_get_u8(&attribute) != 0)
            socket.dual = false;
    });
    return socket;
}

} // namespace

std::vector<ListeningSocket> read_listening_sockets() {
    netlink::Socket socket(NETLINK_SOCK_DIAG);
    std::vector<ListeningSocket> sockets;
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        const auto before = sockets.size();
        dump<inet_diag_req_v2>(
            socket, SOCK_DIAG_BY_FAMILY, "listening sockets",
            [&](netlink::Message&, inet_diag_req_v2& request) {
                request.sdiag_family = family;
                request.sdiag_protocol = IPPROTO_TCP;
                request.idiag_states = 1U << TCP_LISTEN;
            },
            [&] { sockets.resize(before); },
            [&](const nlmsghdr& message) {
                if (message.nlmsg_type == SOCK_DIAG_BY_FAMILY) sockets.push_back(parse(message));
            });
    }
    return sockets;
}

} // namespace natctl::doctor
