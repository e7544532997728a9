// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/conntrack_codec.h"
#include "nftctl/socket/socket_address.h"

#include <memory>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>

extern "C" {
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
}

namespace natctl {

namespace {

using NfConntrackPtr = std::unique_ptr<nf_conntrack, Releaser<nfct_destroy>>;

/// The attributes of one direction.
struct TupleAttributes {
    nf_conntrack_attr source4;
    nf_conntrack_attr destination4;
    nf_conntrack_attr source6;
    nf_conntrack_attr destination6;
    nf_conntrack_attr source_port;
    nf_conntrack_attr destination_port;
};

constexpr TupleAttributes original_attributes{ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_SRC,
                                              ATTR_ORIG_IPV6_DST, ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_DST};
constexpr TupleAttributes reply_attributes{ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_SRC,
                                           ATTR_REPL_IPV6_DST, ATTR_REPL_PORT_SRC, ATTR_REPL_PORT_DST};

bool has(const nf_conntrack& entry, nf_conntrack_attr attribute) { return nfct_attr_is_set(&entry, attribute) > 0; }

Address address_of(const nf_conntrack& entry, Family family, nf_conntrack_attr four, nf_conntrack_attr six) {
    const auto* bytes = static_cast<const std::uint8_t*>(nfct_get_attr(&entry, family == Family::ipv4 ? four : six));
    if (bytes == nullptr) return {};
    return Address::from_bytes(family, std::span(bytes, address_bits(family) / 8));
}

std::uint16_t port_of(const nf_conntrack& entry, nf_conntrack_attr attribute) {
    return has(entry, attribute) ? ntohs(nfct_get_attr_u16(&entry, attribute)) : std::uint16_t{0};
}

Tuple tuple_of(const nf_conntrack& entry, Family family, const TupleAttributes& attributes) {
    return {.source = address_of(entry, family, attributes.source4, attributes.source6),
            .destination = address_of(entry, family, attributes.destination4, attributes.destination6),
            .source_port = port_of(entry, attributes.source_port),
            .destination_port = port_of(entry, attributes.destination_port)};
}

std::optional<Traffic> traffic_of(const nf_conntrack& entry, nf_conntrack_attr packets, nf_conntrack_attr bytes) {
    if (!has(entry, packets)) return std::nullopt;
    return Traffic{nfct_get_attr_u64(&entry, packets), nfct_get_attr_u64(&entry, bytes)};
}

// CTA_FILTER_F_CTA_IP_SRC and _DST: net/netfilter/nf_internals.h, in no header for programs. In CTA_FILTER_*_FLAGS they
// are in the machine's byte order.
constexpr std::uint32_t filter_source = 1;
constexpr std::uint32_t filter_destination = 2;

/// The addresses that a filter wants in one direction. Returns the flags that say which there are.
std::uint32_t put_addresses(nlmsghdr& message, std::uint16_t direction, const TupleFilter& filter) {
    std::uint32_t flags = 0;
    nlattr* const tuple = mnl_attr_nest_start(&message, direction);
    nlattr* const addresses = mnl_attr_nest_start(&message, CTA_TUPLE_IP);
    const auto put = [&](const std::optional<Address>& address, std::uint16_t type, std::uint32_t flag) {
        // IPv6 addresses the kernel compares the wrong way round, up to and including Linux 6.18: it leaves out just
        // those that are equal (ctnetlink_filter_match_tuple() in net/netfilter/nf_conntrack_netlink.c).
        if (!address || address->family() != Family::ipv4) return;
        mnl_attr_put(&message, type, address->bytes().size(), address->bytes().data());
        flags |= flag;
    };
    put(filter.source, CTA_IP_V4_SRC, filter_source);
    put(filter.destination, CTA_IP_V4_DST, filter_destination);
    mnl_attr_nest_end(&message, addresses);
    mnl_attr_nest_end(&message, tuple);
    return flags;
}

void set_address(nf_conntrack& entry, const Address& address, nf_conntrack_attr four, nf_conntrack_attr six) {
    nfct_set_attr(&entry, address.family() == Family::ipv4 ? four : six, address.bytes().data());
}

} // namespace

std::optional<Connection> parse_connection(const nlmsghdr& message) {
    const NfConntrackPtr owner(allocated(nfct_new()));
    nf_conntrack& entry = *owner;
    if (nfct_nlmsg_parse(&message, &entry) < 0) return std::nullopt;
    const std::uint8_t layer3 = nfct_get_attr_u8(&entry, ATTR_ORIG_L3PROTO);
    if (layer3 != AF_INET && layer3 != AF_INET6) return std::nullopt;
    const Family family = layer3 == AF_INET ? Family::ipv4 : Family::ipv6;

    Connection connection{.original = tuple_of(entry, family, original_attributes),
                          .reply = tuple_of(entry, family, reply_attributes),
                          .protocol = nfct_get_attr_u8(&entry, ATTR_ORIG_L4PROTO)};
    if (has(entry, ATTR_ICMP_TYPE)) {
        const IcmpQuery icmp{.id = ntohs(nfct_get_attr_u16(&entry, ATTR_ICMP_ID)),
                             .type = nfct_get_attr_u8(&entry, ATTR_ICMP_TYPE),
                             .code = nfct_get_attr_u8(&entry, ATTR_ICMP_CODE)};
        connection.original.icmp = icmp;
        // The library keeps one tuple's only: the reply's differs in its type, which nobody asks for.
        connection.reply.icmp = icmp;
    }
    if (has(entry, ATTR_ZONE)) connection.zone = nfct_get_attr_u16(&entry, ATTR_ZONE);
    if (has(entry, ATTR_ORIG_ZONE)) connection.zone = nfct_get_attr_u16(&entry, ATTR_ORIG_ZONE);
    connection.id = nfct_get_attr_u32(&entry, ATTR_ID);
    connection.status = nfct_get_attr_u32(&entry, ATTR_STATUS);
    connection.mark = nfct_get_attr_u32(&entry, ATTR_MARK);
    connection.timeout = nfct_get_attr_u32(&entry, ATTR_TIMEOUT);
    if (has(entry, ATTR_TCP_STATE)) connection.tcp_state = nfct_get_attr_u8(&entry, ATTR_TCP_STATE);
    connection.sent = traffic_of(entry, ATTR_ORIG_COUNTER_PACKETS, ATTR_ORIG_COUNTER_BYTES);
    connection.received = traffic_of(entry, ATTR_REPL_COUNTER_PACKETS, ATTR_REPL_COUNTER_BYTES);
    if (has(entry, ATTR_TIMESTAMP_START)) connection.began = nfct_get_attr_u64(&entry, ATTR_TIMESTAMP_START);
    return connection;
}

void put_identity(nlmsghdr& message, const Connection& connection) {
    const NfConntrackPtr owner(allocated(nfct_new()));
    nf_conntrack& entry = *owner;
    const Tuple& tuple = connection.original;
    nfct_set_attr_u8(&entry, ATTR_ORIG_L3PROTO, address_family(connection.family()));
    nfct_set_attr_u8(&entry, ATTR_ORIG_L4PROTO, connection.protocol);
    set_address(entry, tuple.source, original_attributes.source4, original_attributes.source6);
    set_address(entry, tuple.destination, original_attributes.destination4, original_attributes.destination6);
    if (tuple.icmp) {
        nfct_set_attr_u16(&entry, ATTR_ICMP_ID, htons(tuple.icmp->id));
        nfct_set_attr_u8(&entry, ATTR_ICMP_TYPE, tuple.icmp->type);
        nfct_set_attr_u8(&entry, ATTR_ICMP_CODE, tuple.icmp->code);
    } else {
        nfct_set_attr_u16(&entry, ATTR_ORIG_PORT_SRC, htons(tuple.source_port));
        nfct_set_attr_u16(&entry, ATTR_ORIG_PORT_DST, htons(tuple.destination_port));
    }
    if (connection.zone != 0) nfct_set_attr_u16(&entry, ATTR_ZONE, connection.zone);
    nfct_nlmsg_build(&message, &entry);
    // The library leaves it out.
    mnl_attr_put_u32(&message, CTA_ID, htonl(connection.id));
}

void put_filter(nlmsghdr& message, const ConnectionFilter& filter) {
    if (filter.mark) {
        mnl_attr_put_u32(&message, CTA_MARK, htonl(filter.mark->value));
        mnl_attr_put_u32(&message, CTA_MARK_MASK, htonl(filter.mark->mask));
    }
    if (filter.status) {
        mnl_attr_put_u32(&message, CTA_STATUS, htonl(filter.status->value));
        mnl_attr_put_u32(&message, CTA_STATUS_MASK, htonl(filter.status->mask));
    }
    if (!filter.by_address()) return;
    const auto original = put_addresses(message, CTA_TUPLE_ORIG, filter.original);
    const auto reply = put_addresses(message, CTA_TUPLE_REPLY, filter.reply);
    nlattr* const flags = mnl_attr_nest_start(&message, CTA_FILTER);
    mnl_attr_put_u32(&message, CTA_FILTER_ORIG_FLAGS, original);
    mnl_attr_put_u32(&message, CTA_FILTER_REPLY_FLAGS, reply);
    mnl_attr_nest_end(&message, flags);
}

std::uint16_t conntrack_message(int type) { return static_cast<std::uint16_t>(NFNL_SUBSYS_CTNETLINK << 8 | type); }

} // namespace natctl
