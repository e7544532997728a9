// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/plan/table.h"

namespace natctl::firewall {

// nf_tables of somebody else, as far as is needed to follow a packet through them: the kernel's expressions on its
// register file. What is not understood becomes Unknown, and makes an answer uncertain instead of wrong.

using Octets = std::vector<std::uint8_t>;

enum class Source : std::uint8_t {
    iifname,
    oifname,
    iif,
    oif,
    nfproto,
    l4proto,
    /// Ethernet's number, in network order.
    protocol,
    mark,
    ct_mark,
    ct_state,
    ct_status,
    network_header,
    transport_header,
    /// Not modelled: the register is unknown afterwards.
    other,
};

/// Registers are named by their offset in bytes.
struct Load {
    Source source;
    /// Headers only.
    unsigned offset = 0;
    unsigned length = 0;
    unsigned to = 0;
};
/// to = (from & mask) ^ flip
struct Bitwise {
    unsigned from = 0;
    unsigned to = 0;
    Octets mask;
    Octets flip;
};
enum class Relation : std::uint8_t { eq, ne, lt, le, gt, ge };
struct Compare {
    unsigned from = 0;
    Relation relation;
    Octets data;
};
/// Both ends included.
struct Range {
    unsigned from = 0;
    bool inverted = false;
    Octets first;
    Octets last;
};
struct Immediate {
    unsigned to = 0;
    Octets data;
};
struct Lookup {
    unsigned from = 0;
    std::string set;
    bool inverted = false;
    /// Maps: where the data go. Verdict maps have neither `to` nor other expressions after them.
    std::optional<unsigned> to = {};
    bool verdict = false;
};
struct SetMark {
    /// Of the packet, or of its connection.
    bool connection = false;
    unsigned from = 0;
};
enum class VerdictKind : std::uint8_t { accept, drop, return_, jump, go };
/// A reject counts as drop.
struct Verdict {
    VerdictKind kind;
    std::string chain = {};
};
/// snat, dnat, masquerade or redirect: the connection is translated, and this chain is left.
struct Translate {};
/// May hold or not, and may have written any register.
struct Unknown {
    std::string name;
};

using Expression = std::variant<Load, Bitwise, Compare, Range, Immediate, Lookup, SetMark, Verdict, Translate, Unknown>;

struct Rule {
    std::vector<Expression> expressions;
    /// For `nft delete rule ... handle N`.
    std::uint64_t handle = 0;
};

struct Chain {
    std::string name;
    /// Base chains only.
    std::optional<nft::Hook> hook = {};
    bool drops_by_policy = false;
    std::vector<Rule> rules = {};
};

struct Element {
    Octets key;
    /// Intervals: the first key that does not match any more; empty: none.
    Octets end = {};
    Octets data = {};
    std::optional<Verdict> verdict = {};
};

struct Set {
    std::string name;
    bool interval = false;
    /// False: the elements were not read, or are of a form that is not modelled.
    bool known = true;
    std::vector<Element> elements = {};
};

enum class TableFamily : std::uint8_t { ip, ip6, inet };

/// "ip", "ip6" or "inet".
const char* text(TableFamily family);

struct Table {
    TableFamily family = TableFamily::inet;
    std::string name;
    std::vector<Chain> chains = {};
    std::vector<Set> sets = {};

    const Chain* find_chain(const std::string& wanted) const;
    const Set* find_set(const std::string& wanted) const;
    /// Whether its base chains see packets of the family.
    bool sees(Family packet) const;
};

/// A packet of a flow that is followed. What is absent is unknown.
struct Packet {
    Family family = Family::ipv4;
    std::optional<std::string> iif = {};
    std::optional<std::string> oif = {};
    std::optional<std::uint32_t> iif_index = {};
    std::optional<std::uint32_t> oif_index = {};
    std::optional<Address> source = {};
    std::optional<Address> destination = {};
    std::uint8_t protocol = 6;
    std::optional<std::uint16_t> destination_port = {};
    std::optional<std::uint32_t> mark = {};
    /// linux/netfilter/nf_conntrack_common.h, NF_CT_STATE_BIT; 8: new
    std::uint32_t ct_state = 8;
};

enum class Fate : std::uint8_t { passes, may_be_dropped, dropped, may_be_translated, translated };

struct Outcome {
    Fate fate = Fate::passes;
    /// What decided: the chain, and the handle of the rule there, or nothing for the chain's policy.
    std::string chain = {};
    std::optional<std::uint64_t> rule = {};
};

/// What the base chain does with the packet.
Outcome follow(const Table& table, const Chain& chain, const Packet& packet);

/// Whether the rule changes bits of `mask` in the mark of packets or connections, as far as can be told.
bool changes_mark(const Rule& rule, std::uint32_t mask);

} // namespace natctl::firewall
