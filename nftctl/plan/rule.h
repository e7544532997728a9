// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nftctl/base/address.h"

namespace natctl::nft {

// The part of the nft language that our rules use, as values. plan/render prints them in nft's syntax, kernel/ turns
// them into expressions and back.

/// What a packet or its connection is asked for. The text is nft's own.
enum class Field : std::uint8_t {
    iifname,
    oifname,
    ip_saddr,
    ip_daddr,
    ip6_saddr,
    ip6_daddr,
    nfproto,
    l4proto,
    mark,
    ct_mark,
    ct_state,
    ct_status,
    ct_direction,
    ct_original_ip_saddr,
    ct_original_ip_daddr,
    ct_original_ip6_saddr,
    ct_original_ip6_daddr,
    fib_daddr_oif,
    /// 1 when there is a route, 0 when there is none (`fib daddr oif missing`).
    fib_daddr_oif_present,
    fib_daddr_type,
    fib_saddr_type,
    socket_transparent,
    socket_wildcard,
    tcp_flags,
    /// The destination port of whatever protocol: test l4proto before.
    th_dport,
    icmpv6_type,
    /// The user id that a local packet's socket belongs to.
    skuid,
};

enum class Op : std::uint8_t { eq, ne };

/// `FIELD [& MASK] OP VALUE`. Interface names are strings; everything else is a number in host order:
/// protocol, mark, state or status bits (linux/netfilter/nf_conntrack_common.h), direction 0 or 1 (reply),
/// interface index (1 is lo in every namespace), address type (RTN_*).
struct Match {
    Field field;
    std::optional<std::uint32_t> mask;
    Op op = Op::eq;
    std::variant<std::uint32_t, std::string> value;
    bool operator==(const Match&) const = default;
};

/// `KEY [. KEY] [!=] @SET`
struct Lookup {
    std::vector<Field> key;
    std::string set;
    Op op = Op::eq;
    bool operator==(const Lookup&) const = default;
};

/// `TARGET set TARGET and KEEP or VALUE`; target is mark or ct_mark, and VALUE has no bit of KEEP.
struct SetMark {
    Field target;
    std::uint32_t keep;
    std::uint32_t value;
    bool operator==(const SetMark&) const = default;
};

/// `socket cgroupv2 level LEVEL PATH`: the local packet's socket was made in this control group, or below it. The
/// kernel keeps the id, so the path is only what people read.
struct CgroupMatch {
    std::uint32_t level;
    std::uint64_t id;
    std::string path;
    bool operator==(const CgroupMatch& other) const { return level == other.level && id == other.id; }
};

struct Counter {
    bool operator==(const Counter&) const = default;
};

enum class VerdictKind : std::uint8_t { accept, drop, return_, jump, goto_ };

struct Verdict {
    VerdictKind kind;
    /// Only for jump and goto_.
    std::string chain = {};
    bool operator==(const Verdict&) const = default;
};

/// `KEY vmap @MAP`: on to the next statement where the map has no verdict.
struct VerdictMap {
    Field key;
    std::string map;
    bool operator==(const VerdictMap&) const = default;
};

/// `tproxy ip to ADDRESS:PORT`; the family is the address's.
struct Tproxy {
    Endpoint to;
    bool operator==(const Tproxy&) const = default;
};

/// `redirect to :PORT`
struct Redirect {
    std::uint16_t port;
    bool operator==(const Redirect&) const = default;
};

/// `ct helper set NAME`, of one of the table's helper objects.
struct SetHelper {
    std::string name;
    bool operator==(const SetHelper&) const = default;
};

enum class NatKind : std::uint8_t { dnat, snat };

/// `dnat ip to ip daddr map @MAP`, with `prefix` when the map's data are intervals (NETMAP).
struct NatMap {
    NatKind kind;
    Field key;
    std::string map;
    bool prefix = false;
    bool operator==(const NatMap&) const = default;
};

/// `snat ip to ADDRESS`
struct NatTo {
    NatKind kind;
    Address to;
    bool operator==(const NatTo&) const = default;
};

struct Masquerade {
    bool operator==(const Masquerade&) const = default;
};

enum class RejectKind : std::uint8_t { tcp_reset, icmpx_no_route, icmp_host_unreachable, icmpv6_addr_unreachable };

struct Reject {
    RejectKind kind;
    bool operator==(const Reject&) const = default;
};

/// `tcp option maxseg size set rt mtu`
struct ClampMss {
    bool operator==(const ClampMss&) const = default;
};

/// An expression in the kernel that is none of ours: somebody wrote into the table. Compares unequal to every plan.
struct Unknown {
    std::string name;
    bool operator==(const Unknown&) const = default;
};

using Statement = std::variant<Match, Lookup, CgroupMatch, SetMark, Counter, Verdict, VerdictMap, Tproxy, Redirect,
                               SetHelper, NatMap, NatTo, Masquerade, Reject, ClampMss, Unknown>;

/// The family that a field of a packet's IP header implies: the kernel needs `meta nfproto` tested first, nft's
/// syntax leaves that out. nullopt for all other fields.
std::optional<Family> implied_family(Field field);

/// The protocol that a field of a packet's transport header implies, likewise.
std::optional<std::uint8_t> implied_protocol(Field field);

struct Rule {
    std::vector<Statement> statements;
    bool operator==(const Rule&) const = default;
};

} // namespace natctl::nft
