// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nftctl/kernel/nftnl_ptr.h"
#include "nftctl/plan/rule.h"
#include "nftctl/plan/table.h"

namespace natctl::nft {

// What rules are made of in the kernel, as values: one for each expression that our rules need. Registers, comparison
// operators and codes are the kernel's numbers (linux/netfilter/nf_tables.h).
namespace expression {

using Register = std::uint32_t;

/// The register `offset` bytes (a multiple of 4) after the first, as the kernel names it in its answers.
Register register_at(unsigned offset);

/// NF_ACCEPT, NFT_JUMP ...
int verdict_code(VerdictKind kind);
/// nullopt: one that no rule of ours has.
std::optional<VerdictKind> verdict_kind(int code);

struct Load {
    Field field;
    Register to;
    bool operator==(const Load&) const = default;
};
/// mark and ct_mark
struct Store {
    Field field;
    Register from;
    bool operator==(const Store&) const = default;
};
/// register = (register & mask) ^ flip
struct Bitwise {
    Register in_place;
    Bytes mask;
    Bytes flip;
    bool operator==(const Bitwise&) const = default;
};
struct Compare {
    Register from;
    std::uint32_t op;
    Bytes data;
    bool operator==(const Compare&) const = default;
};
struct Immediate {
    Register to;
    Bytes data;
    bool operator==(const Immediate&) const = default;
};
struct Lookup {
    std::string set;
    Register from;
    bool inverted = false;
    /// Maps: where the data go.
    std::optional<Register> to = {};
    bool operator==(const Lookup&) const = default;
};
struct Nat {
    NatKind kind;
    Family family;
    Register first;
    std::optional<Register> last = {};
    /// NF_NAT_RANGE_NETMAP or 0
    std::uint32_t flags = 0;
    bool operator==(const Nat&) const = default;
};
struct Tproxy {
    Family family;
    Register address;
    Register port;
    bool operator==(const Tproxy&) const = default;
};
/// `redirect`
struct Redirect {
    Register port;
    bool operator==(const Redirect&) const = default;
};
/// `socket cgroupv2 level`
struct LoadCgroup {
    std::uint32_t level;
    Register to;
    bool operator==(const LoadCgroup&) const = default;
};
struct Reject {
    /// NFT_REJECT_*
    std::uint32_t type;
    std::uint8_t code;
    bool operator==(const Reject&) const = default;
};
/// `rt tcpmss`
struct LoadMss {
    Register to;
    bool operator==(const LoadMss&) const = default;
};
/// Two bytes from host to network order.
struct ToNetworkOrder {
    Register in_place;
    bool operator==(const ToNetworkOrder&) const = default;
};
/// `tcp option maxseg size set`
struct StoreMss {
    Register from;
    bool operator==(const StoreMss&) const = default;
};
/// None of the above, or one with attributes that ours never have.
struct Other {
    std::string name;
    bool operator==(const Other&) const = default;
};

} // namespace expression

using Expression =
    std::variant<expression::Load, expression::Store, expression::Bitwise, expression::Compare, expression::Immediate,
                 expression::Lookup, Counter, Verdict, expression::Nat, Masquerade, SetHelper, expression::Redirect,
                 expression::LoadCgroup, expression::Tproxy, expression::Reject, expression::LoadMss,
                 expression::ToNetworkOrder, expression::StoreMss, expression::Other>;

/// The kernel's name of the kind: "meta", "lookup" ...
std::string name_of(const Expression& expression);

/// Never for Other.
NftnlExprPtr to_nftnl(const Expression& expression);
Expression from_nftnl(const nftnl_expr& expression);

} // namespace natctl::nft
