// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/doctor/read_rule.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "nftctl/kernel/expression_attributes.h"

namespace natctl::doctor {

using namespace firewall;

namespace {

class Attributes : public ExpressionAttributes {
public:
    using ExpressionAttributes::ExpressionAttributes;

    Octets octets(std::uint16_t attribute) const {
        const auto found = data(attribute);
        return {found.begin(), found.end()};
    }
    /// As its offset in bytes (nft_parse_register() in net/netfilter/nf_tables_api.c).
    unsigned register_at(std::uint16_t attribute) const {
        const std::uint32_t value = u32(attribute);
        return value >= NFT_REG32_00 ? (value - NFT_REG32_00) * 4 : value > 0 ? (value - 1) * 16 : 0;
    }
};

using Expressions = std::vector<Expression>;

struct MetaRow {
    std::uint32_t key;
    Source source;
    unsigned length;
};
constexpr std::array meta_rows{
    MetaRow{NFT_META_IIFNAME, Source::iifname, 16},  MetaRow{NFT_META_OIFNAME, Source::oifname, 16},
    MetaRow{NFT_META_IIF, Source::iif, 4},           MetaRow{NFT_META_OIF, Source::oif, 4},
    MetaRow{NFT_META_NFPROTO, Source::nfproto, 1},   MetaRow{NFT_META_L4PROTO, Source::l4proto, 1},
    MetaRow{NFT_META_PROTOCOL, Source::protocol, 2}, MetaRow{NFT_META_MARK, Source::mark, 4},
};

constexpr unsigned longest = 16;

void read_meta(const Attributes& from, Expressions& to) {
    const std::uint32_t key = from.u32(NFTNL_EXPR_META_KEY);
    if (from.has(NFTNL_EXPR_META_SREG)) {
        if (key == NFT_META_MARK) to.push_back(SetMark{false, from.register_at(NFTNL_EXPR_META_SREG)});
        return;
    }
    const auto* const row = std::ranges::find(meta_rows, key, &MetaRow::key);
    const unsigned target = from.register_at(NFTNL_EXPR_META_DREG);
    if (row == meta_rows.end())
        to.push_back(Load{Source::other, 0, longest, target});
    else
        to.push_back(Load{row->source, 0, row->length, target});
}

void read_ct(const Attributes& from, Expressions& to) {
    const std::uint32_t key = from.u32(NFTNL_EXPR_CT_KEY);
    if (from.has(NFTNL_EXPR_CT_SREG)) {
        if (key == NFT_CT_MARK) to.push_back(SetMark{true, from.register_at(NFTNL_EXPR_CT_SREG)});
        return;
    }
    const unsigned target = from.register_at(NFTNL_EXPR_CT_DREG);
    const Source source = key == NFT_CT_STATE    ? Source::ct_state
                          : key == NFT_CT_STATUS ? Source::ct_status
                          : key == NFT_CT_MARK   ? Source::ct_mark
                                                 : Source::other;
    to.push_back(Load{source, 0, source == Source::other ? longest : 4, target});
}

void read_payload(const Attributes& from, Expressions& to) {
    // Writes the packet: no effect on where it goes.
    if (from.has(NFTNL_EXPR_PAYLOAD_SREG)) return;
    const std::uint32_t base = from.u32(NFTNL_EXPR_PAYLOAD_BASE);
    const Source source = base == NFT_PAYLOAD_NETWORK_HEADER     ? Source::network_header
                          : base == NFT_PAYLOAD_TRANSPORT_HEADER ? Source::transport_header
                                                                 : Source::other;
    to.push_back(Load{source, from.u32(NFTNL_EXPR_PAYLOAD_OFFSET), from.u32(NFTNL_EXPR_PAYLOAD_LEN),
                      from.register_at(NFTNL_EXPR_PAYLOAD_DREG)});
}

void read_bitwise(const Attributes& from, Expressions& to) {
    const unsigned target = from.register_at(NFTNL_EXPR_BITWISE_DREG);
    if (from.u32(NFTNL_EXPR_BITWISE_OP) != NFT_BITWISE_BOOL)
        to.push_back(Load{Source::other, 0, from.u32(NFTNL_EXPR_BITWISE_LEN), target});
    else
        to.push_back(Bitwise{from.register_at(NFTNL_EXPR_BITWISE_SREG), target, from.octets(NFTNL_EXPR_BITWISE_MASK),
                             from.octets(NFTNL_EXPR_BITWISE_XOR)});
}

Relation relation_of(std::uint32_t operation) {
    switch (operation) {
    case NFT_CMP_NEQ: return Relation::ne;
    case NFT_CMP_LT: return Relation::lt;
    case NFT_CMP_LTE: return Relation::le;
    case NFT_CMP_GT: return Relation::gt;
    case NFT_CMP_GTE: return Relation::ge;
    default: return Relation::eq;
    }
}

void read_compare(const Attributes& from, Expressions& to) {
    to.push_back(Compare{from.register_at(NFTNL_EXPR_CMP_SREG), relation_of(from.u32(NFTNL_EXPR_CMP_OP)),
                         from.octets(NFTNL_EXPR_CMP_DATA)});
}

void read_range(const Attributes& from, Expressions& to) {
    to.push_back(Range{from.register_at(NFTNL_EXPR_RANGE_SREG), from.u32(NFTNL_EXPR_RANGE_OP) == NFT_RANGE_NEQ,
                       from.octets(NFTNL_EXPR_RANGE_FROM_DATA), from.octets(NFTNL_EXPR_RANGE_TO_DATA)});
}

/// nullopt: none that decides here (queue).
std::optional<Verdict> verdict_of(std::uint32_t code, const std::string& chain) {
    switch (static_cast<int>(code)) {
    case NF_ACCEPT: return Verdict{VerdictKind::accept};
    case NF_DROP: return Verdict{VerdictKind::drop};
    case NFT_RETURN: return Verdict{VerdictKind::return_};
    case NFT_JUMP: return Verdict{VerdictKind::jump, chain};
    case NFT_GOTO: return Verdict{VerdictKind::go, chain};
    default: return std::nullopt;
    }
}

void read_immediate(const Attributes& from, Expressions& to) {
    if (from.u32(NFTNL_EXPR_IMM_DREG) != NFT_REG_VERDICT) {
        to.push_back(Immediate{from.register_at(NFTNL_EXPR_IMM_DREG), from.octets(NFTNL_EXPR_IMM_DATA)});
        return;
    }
    if (auto verdict = verdict_of(from.u32(NFTNL_EXPR_IMM_VERDICT), from.text(NFTNL_EXPR_IMM_CHAIN)))
        to.push_back(*verdict);
}

void read_lookup(const Attributes& from, Expressions& to) {
    Lookup lookup{.from = from.register_at(NFTNL_EXPR_LOOKUP_SREG),
                  .set = from.text(NFTNL_EXPR_LOOKUP_SET),
                  .inverted = (from.u32(NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV) != 0};
    if (from.has(NFTNL_EXPR_LOOKUP_DREG)) {
        lookup.verdict = from.u32(NFTNL_EXPR_LOOKUP_DREG) == NFT_REG_VERDICT;
        if (!lookup.verdict) lookup.to = from.register_at(NFTNL_EXPR_LOOKUP_DREG);
    }
    to.push_back(std::move(lookup));
}

void read_translation(const Attributes&, Expressions& to) { to.push_back(Translate{}); }
void read_reject(const Attributes&, Expressions& to) { to.push_back(Verdict{VerdictKind::drop}); }
void read_nothing(const Attributes&, Expressions&) {}

/// iptables-nft: what has no expression of nf_tables is a match or target of x_tables.
void read_match(const Attributes& from, Expressions& to) {
    const std::string name = from.text(NFTNL_EXPR_MT_NAME);
    if (name != "comment") to.push_back(Unknown{"match " + name});
}

void read_target(const Attributes& from, Expressions& to) {
    const std::string name = from.text(NFTNL_EXPR_TG_NAME);
    constexpr std::array<std::string_view, 5> translating{"DNAT", "MASQUERADE", "NETMAP", "REDIRECT", "SNAT"};
    constexpr std::array<std::string_view, 6> harmless{"CHECKSUM", "LOG", "NFLOG", "TCPMSS", "TCPOPTSTRIP", "TRACE"};
    if (std::ranges::find(translating, name) != translating.end())
        to.push_back(Translate{});
    else if (name == "REJECT")
        to.push_back(Verdict{VerdictKind::drop});
    else if (std::ranges::find(harmless, name) == harmless.end())
        to.push_back(Unknown{"target " + name});
}

struct Kind {
    std::string_view name;
    void (*read)(const Attributes&, Expressions&);
};
constexpr std::array kinds{
    Kind{"meta", read_meta},           Kind{"ct", read_ct},
    Kind{"payload", read_payload},     Kind{"bitwise", read_bitwise},
    Kind{"cmp", read_compare},         Kind{"range", read_range},
    Kind{"immediate", read_immediate}, Kind{"lookup", read_lookup},
    Kind{"nat", read_translation},     Kind{"masq", read_translation},
    Kind{"redir", read_translation},   Kind{"reject", read_reject},
    Kind{"match", read_match},         Kind{"target", read_target},
    Kind{"counter", read_nothing},     Kind{"log", read_nothing},
    Kind{"notrack", read_nothing},     Kind{"last", read_nothing},
    Kind{"dynset", read_nothing},      Kind{"dup", read_nothing},
};

Octets octets_of(const nftnl_set_elem& element, std::uint16_t attribute) {
    std::uint32_t size = 0;
    // libnftnl takes no const handle here, and does not change it.
    auto* const handle = const_cast<nftnl_set_elem*>(&element);
    const auto* data = nftnl_set_elem_is_set(handle, attribute)
                           ? static_cast<const std::uint8_t*>(nftnl_set_elem_get(handle, attribute, &size))
                           : nullptr;
    return data != nullptr ? Octets(data, data + size) : Octets();
}

} // namespace

Rule read_rule(const nftnl_rule& rule) {
    const NftnlExprIterPtr iterator(allocated(nftnl_expr_iter_create(&rule)));
    Rule result;
    while (const nftnl_expr* expression = nftnl_expr_iter_next(iterator.get())) {
        const std::string_view name = nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);
        const auto* const kind = std::ranges::find(kinds, name, &Kind::name);
        if (kind == kinds.end())
            result.expressions.push_back(Unknown{std::string(name)});
        else
            kind->read(Attributes(*expression), result.expressions);
    }
    return result;
}

void ElementReader::take(const nftnl_set& elements) {
    const NftnlSetElemsIterPtr iterator(allocated(nftnl_set_elems_iter_create(&elements)));
    while (nftnl_set_elem* handle = nftnl_set_elems_iter_next(iterator.get())) {
        Part part;
        part.element.key = octets_of(*handle, NFTNL_SET_ELEM_KEY);
        part.element.data = octets_of(*handle, NFTNL_SET_ELEM_DATA);
        // The getter follows a null pointer where there are none.
        part.ends = nftnl_set_elem_is_set(handle, NFTNL_SET_ELEM_FLAGS) &&
                    (nftnl_set_elem_get_u32(handle, NFTNL_SET_ELEM_FLAGS) & NFT_SET_ELEM_INTERVAL_END) != 0;
        if (nftnl_set_elem_is_set(handle, NFTNL_SET_ELEM_VERDICT)) {
            const char* const chain = nftnl_set_elem_is_set(handle, NFTNL_SET_ELEM_CHAIN)
                                          ? nftnl_set_elem_get_str(handle, NFTNL_SET_ELEM_CHAIN)
                                          : "";
            part.element.verdict = verdict_of(nftnl_set_elem_get_u32(handle, NFTNL_SET_ELEM_VERDICT), chain);
        }
        // A catch-all element has no key.
        if (!part.element.key.empty()) parts_.push_back(std::move(part));
    }
}

std::vector<Element> ElementReader::finish() {
    std::vector<Element> elements;
    if (!interval_) {
        for (Part& part : parts_) elements.push_back(std::move(part.element));
        return elements;
    }
    // An end may have the key of the next start.
    std::ranges::sort(parts_, [](const Part& a, const Part& b) {
        return a.element.key != b.element.key ? a.element.key < b.element.key : a.ends > b.ends;
    });
    for (Part& part : parts_) {
        if (!elements.empty() && elements.back().end.empty()) elements.back().end = part.element.key;
        if (!part.ends) elements.push_back(std::move(part.element));
    }
    return elements;
}

} // namespace natctl::doctor
