// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nftctl/base/mark.h"
#include "nftctl/plan/kernel_numbers.h"
#include "nftctl/plan/table.h"

namespace natctl::nft::words {

// Short words for statements, so that the compiler's rules read like nft's text.

/// The fields of one family, so that rules are written once for both.
struct Half {
    Family family;
    Field saddr;
    Field daddr;
    Field original_saddr;
    Field original_daddr;
    std::string suffix;

    std::string set(const std::string& name) const { return name + suffix; }
    Statement to(const std::string& name, Op op = Op::eq) const { return Lookup{{daddr}, set(name), op}; }
    Statement from(const std::string& name, Op op = Op::eq) const { return Lookup{{saddr}, set(name), op}; }
    Statement by_source(const std::string& map) const { return VerdictMap{saddr, set(map)}; }
    Statement by_destination(const std::string& map) const { return VerdictMap{daddr, set(map)}; }
    Statement is_family() const {
        return Match{Field::nfproto, {}, Op::eq, family == Family::ipv4 ? nfproto_ipv4 : nfproto_ipv6};
    }
};

inline const std::vector<Half>& halves() {
    static const std::vector<Half> both{
        {Family::ipv4, Field::ip_saddr, Field::ip_daddr, Field::ct_original_ip_saddr, Field::ct_original_ip_daddr, "4"},
        {Family::ipv6, Field::ip6_saddr, Field::ip6_daddr, Field::ct_original_ip6_saddr, Field::ct_original_ip6_daddr,
         "6"}};
    return both;
}

inline Statement by(const char* set, Op op = Op::eq) { return Lookup{{Field::iifname}, set, op}; }
inline Statement out_by(const char* set) { return Lookup{{Field::oifname}, set}; }
inline Statement is(Field field, std::uint32_t value, Op op = Op::eq) { return Match{field, {}, op, value}; }
inline Statement marked(Field field, Mark mark, Op op = Op::eq) { return Match{field, mark.mask, op, mark.value}; }
inline Statement set_mark(Field field, Mark mark) { return SetMark{field, ~mark.mask, mark.value}; }
inline Statement is_new() { return Match{Field::ct_state, connection_new, Op::ne, 0u}; }
inline Statement translated() { return Match{Field::ct_status, connection_dnat, Op::ne, 0u}; }
inline Statement not_translated() { return Match{Field::ct_status, connection_dnat, Op::ne, connection_dnat}; }
inline Statement reply() { return is(Field::ct_direction, direction_reply); }
inline Statement original() { return is(Field::ct_direction, direction_original); }
inline Statement accept() { return Verdict{VerdictKind::accept}; }
inline Statement drop() { return Verdict{VerdictKind::drop}; }
inline Statement leave() { return Verdict{VerdictKind::return_}; }
inline Statement jump(const std::string& chain) { return Verdict{VerdictKind::jump, chain}; }
inline Statement go(const std::string& chain) { return Verdict{VerdictKind::goto_, chain}; }
inline Statement relayed() { return Lookup{{Field::l4proto}, "relayed"}; }
inline Statement refuse_own(Family family) {
    return Reject{family == Family::ipv4 ? RejectKind::icmp_host_unreachable : RejectKind::icmpv6_addr_unreachable};
}

/// No route but the placeholder: no link is up.
inline Statement without_link(Family family) {
    return family == Family::ipv4 ? is(Field::fib_daddr_oif, loopback_index) : is(Field::fib_daddr_oif_present, 0);
}

/// A chain under construction.
class ChainWriter {
public:
    ChainWriter(std::string name, std::optional<Hook> hook = {}) : chain_{std::move(name), hook, {}} {}

    template <class... Statements>
    ChainWriter& rule(Statements... statements) {
        chain_.rules.push_back(Rule{{Statement(std::move(statements))...}});
        return *this;
    }

    ChainWriter& add(Rule rule) {
        chain_.rules.push_back(std::move(rule));
        return *this;
    }

    Chain done() { return std::move(chain_); }

private:
    Chain chain_;
};

} // namespace natctl::nft::words
