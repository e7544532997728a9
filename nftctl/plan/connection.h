// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <cstdint>
#include <optional>

#include "nftctl/base/address.h"
#include "nftctl/base/mark.h"
#include "nftctl/plan/kernel_numbers.h"

namespace natctl {

/// What tells ICMP and ICMPv6 connections apart.
struct IcmpQuery {
    std::uint16_t id = 0;
    std::uint8_t type = 0;
    std::uint8_t code = 0;
    auto operator<=>(const IcmpQuery&) const = default;
};

/// One direction of a connection.
struct Tuple {
    Address source;
    Address destination;
    /// 0 where the protocol has none. GRE: its keys.
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    std::optional<IcmpQuery> icmp = {};

    auto operator<=>(const Tuple&) const = default;
};

struct Traffic {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
    auto operator<=>(const Traffic&) const = default;
};

/// An entry of the kernel's connection tracking. What NAT makes of the original direction shows in the reply's:
/// reply.source is the destination after DNAT, reply.destination the source after SNAT.
struct Connection {
    Tuple original;
    Tuple reply;
    /// IPPROTO_*
    std::uint8_t protocol = 0;
    /// Of the original direction.
    std::uint16_t zone = 0;
    /// Tells this entry from a later one with the same tuples.
    std::uint32_t id = 0;
    /// IPS_* (linux/netfilter/nf_conntrack_common.h)
    std::uint32_t status = 0;
    std::uint32_t mark = 0;
    /// Seconds until it is forgotten when no packet comes.
    std::uint32_t timeout = 0;
    /// TCP_CONNTRACK_* (linux/netfilter/nf_conntrack_tcp.h); only TCP.
    std::optional<std::uint8_t> tcp_state = {};
    /// Only where net.netfilter.nf_conntrack_acct was on when it began.
    std::optional<Traffic> sent = {};
    std::optional<Traffic> received = {};
    /// Nanoseconds since 1970. Only where net.netfilter.nf_conntrack_timestamp was on when it began.
    std::optional<std::uint64_t> began = {};

    Family family() const { return original.source.family(); }
    bool operator==(const Connection&) const = default;
};

/// The addresses of one direction.
struct TupleFilter {
    std::optional<Address> source = {};
    std::optional<Address> destination = {};

    bool any() const { return source || destination; }
    bool matches(const Tuple& tuple) const;
    auto operator<=>(const TupleFilter&) const = default;
};

/// Which entries a dump is about. The kernel looks at them all in any case; what it leaves out costs it a tenth.
struct ConnectionFilter {
    std::optional<Family> family = {};
    std::optional<Mark> mark = {};
    /// As a mark: bits of the status under a mask.
    std::optional<Mark> status = {};
    /// They save something for IPv4 alone, and with a family: see put_filter().
    TupleFilter original = {};
    TupleFilter reply = {};

    bool by_address() const { return original.any() || reply.any(); }
    bool matches(const Connection& connection) const;
    auto operator<=>(const ConnectionFilter&) const = default;
};

} // namespace natctl
