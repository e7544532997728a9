// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "nftctl/plan/render.h"

namespace natctl {

namespace {

using namespace nft;

const char* name_of(Field field) {
    switch (field) {
    case Field::iifname: return "iifname";
    case Field::oifname: return "oifname";
    case Field::ip_saddr: return "ip saddr";
    case Field::ip_daddr: return "ip daddr";
    case Field::ip6_saddr: return "ip6 saddr";
    case Field::ip6_daddr: return "ip6 daddr";
    case Field::nfproto: return "meta nfproto";
    case Field::l4proto: return "meta l4proto";
    case Field::mark: return "meta mark";
    case Field::ct_mark: return "ct mark";
    case Field::ct_state: return "ct state";
    case Field::ct_status: return "ct status";
    case Field::ct_direction: return "ct direction";
    case Field::ct_original_ip_saddr: return "ct original ip saddr";
    case Field::ct_original_ip_daddr: return "ct original ip daddr";
    case Field::ct_original_ip6_saddr: return "ct original ip6 saddr";
    case Field::ct_original_ip6_daddr: return "ct original ip6 daddr";
    case Field::fib_daddr_oif: return "fib daddr oif";
    case Field::fib_daddr_oif_present: return "fib daddr oif";
    case Field::fib_daddr_type: return "fib daddr type";
    case Field::fib_saddr_type: return "fib saddr type";
    case Field::socket_transparent: return "socket transparent";
    case Field::socket_wildcard: return "socket wildcard";
    case Field::tcp_flags: return "tcp flags";
    case Field::th_dport: return "th dport";
    case Field::icmpv6_type: return "icmpv6 type";
    case Field::skuid: return "meta skuid";
    }
    return "?";
}

struct Symbol {
    Field field;
    std::uint32_t value;
    const char* name;
};

// Values that nft has names for.
constexpr Symbol symbols[] = {
    {Field::nfproto, 2, "ipv4"},
    {Field::nfproto, 10, "ipv6"},
    {Field::l4proto, 1, "icmp"},
    {Field::l4proto, 6, "tcp"},
    {Field::l4proto, 17, "udp"},
    {Field::l4proto, 58, "ipv6-icmp"},
    {Field::ct_state, 1, "invalid"},
    {Field::ct_state, 2, "established"},
    {Field::ct_state, 4, "related"},
    {Field::ct_state, 8, "new"},
    {Field::ct_state, 64, "untracked"},
    {Field::ct_status, 0x10, "snat"},
    {Field::ct_status, 0x20, "dnat"},
    {Field::ct_direction, 0, "original"},
    {Field::ct_direction, 1, "reply"},
    {Field::fib_daddr_oif, 1, "\"lo\""},
    {Field::fib_daddr_oif_present, 0, "missing"},
    {Field::fib_daddr_oif_present, 1, "exists"},
    {Field::fib_daddr_type, 1, "unicast"},
    {Field::fib_daddr_type, 2, "local"},
    {Field::fib_daddr_type, 3, "broadcast"},
    {Field::fib_daddr_type, 5, "multicast"},
    {Field::fib_saddr_type, 1, "unicast"},
    {Field::fib_saddr_type, 2, "local"},
    {Field::fib_saddr_type, 3, "broadcast"},
    {Field::fib_saddr_type, 5, "multicast"},
    {Field::tcp_flags, 1, "fin"},
    {Field::tcp_flags, 2, "syn"},
    {Field::tcp_flags, 4, "rst"},
    {Field::tcp_flags, 6, "(syn | rst)"},
    {Field::tcp_flags, 16, "ack"},
    {Field::icmpv6_type, 128, "echo-request"},
    {Field::icmpv6_type, 129, "echo-reply"},
};

std::string value_text(Field field, std::uint32_t value) {
    for (const auto& symbol : symbols)
        if (symbol.field == field && symbol.value == value) return symbol.name;
    if (field == Field::mark || field == Field::ct_mark) return fmt::format("0x{:08x}", value);
    return std::to_string(value);
}

std::string key_text(const std::vector<Field>& key) {
    std::string text;
    for (const auto field : key) text += (text.empty() ? "" : " . ") + std::string(name_of(field));
    return text;
}

const char* family_word(Family family) { return family == Family::ipv4 ? "ip" : "ip6"; }

struct StatementText {
    std::string operator()(const Match& match) const {
        if (const auto* name = std::get_if<std::string>(&match.value))
            return fmt::format("{} {}\"{}\"", name_of(match.field), match.op == Op::ne ? "!= " : "", *name);
        const auto value = std::get<std::uint32_t>(match.value);
        const auto symbol = value_text(match.field, value);
        if (!match.mask) return fmt::format("{} {}{}", name_of(match.field), match.op == Op::ne ? "!= " : "", symbol);
        const auto mask = value_text(match.field, *match.mask);
        if (match.op == Op::ne && value == 0) return fmt::format("{} {}", name_of(match.field), mask);
        return fmt::format("{} & {} {} {}", name_of(match.field), mask, match.op == Op::ne ? "!=" : "==", symbol);
    }
    std::string operator()(const Lookup& lookup) const {
        return fmt::format("{} {}@{}", key_text(lookup.key), lookup.op == Op::ne ? "!= " : "", lookup.set);
    }
    std::string operator()(const CgroupMatch& match) const {
        return fmt::format("socket cgroupv2 level {} \"{}\"", match.level, match.path);
    }
    std::string operator()(const SetMark& set) const {
        const auto* name = name_of(set.target);
        return fmt::format("{} set {} & 0x{:08x} | 0x{:08x}", name, name, set.keep, set.value);
    }
    std::string operator()(const Counter&) const { return "counter"; }
    std::string operator()(const Verdict& verdict) const { return render(verdict); }
    std::string operator()(const VerdictMap& map) const {
        return fmt::format("{} vmap @{}", name_of(map.key), map.map);
    }
    std::string operator()(const Tproxy& tproxy) const {
        return fmt::format("tproxy {} to {}", family_word(tproxy.to.address.family()), tproxy.to.text());
    }
    std::string operator()(const Redirect& redirect) const { return fmt::format("redirect to :{}", redirect.port); }
    std::string operator()(const SetHelper& helper) const { return fmt::format("ct helper set \"{}\"", helper.name); }
    std::string operator()(const NatMap& nat) const {
        const auto family = implied_family(nat.key);
        return fmt::format("{} {}{} to {} map @{}", nat.kind == NatKind::dnat ? "dnat" : "snat",
                           family ? family_word(*family) : "", nat.prefix ? " prefix" : "", name_of(nat.key), nat.map);
    }
    std::string operator()(const NatTo& nat) const {
        return fmt::format("{} {} to {}", nat.kind == NatKind::dnat ? "dnat" : "snat", family_word(nat.to.family()),
                           nat.to.text());
    }
    std::string operator()(const Masquerade&) const { return "masquerade"; }
    std::string operator()(const Reject& reject) const {
        switch (reject.kind) {
        case RejectKind::tcp_reset: return "reject with tcp reset";
        case RejectKind::icmpx_no_route: return "reject with icmpx type no-route";
        case RejectKind::icmp_host_unreachable: return "reject with icmp type host-unreachable";
        case RejectKind::icmpv6_addr_unreachable: return "reject with icmpv6 type addr-unreachable";
        }
        return {};
    }
    std::string operator()(const ClampMss&) const { return "tcp option maxseg size set rt mtu"; }
    std::string operator()(const Unknown& unknown) const { return "# not natctl's, cannot be shown: " + unknown.name; }
};

} // namespace

std::string render(const Verdict& verdict) {
    switch (verdict.kind) {
    case VerdictKind::accept: return "accept";
    case VerdictKind::drop: return "drop";
    case VerdictKind::return_: return "return";
    case VerdictKind::jump: return "jump " + verdict.chain;
    case VerdictKind::goto_: return "goto " + verdict.chain;
    }
    return {};
}

std::string render(const Rule& rule) {
    std::string text;
    std::string comments;
    for (const auto& statement : rule.statements) {
        auto part = std::visit(StatementText{}, statement);
        if (part.starts_with('#')) {
            comments += " " + part;
            continue;
        }
        text += (text.empty() ? "" : " ") + part;
    }
    // A rule that is not whole must not be loaded as if it were.
    if (!comments.empty()) return "#" + comments + (text.empty() ? "" : " (beside: " + text + ")");
    return text;
}

} // namespace natctl
