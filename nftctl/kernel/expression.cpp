// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/expression.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

// Before the kernel's headers, which then leave out what it defines.
#include <netinet/tcp.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "nftctl/kernel/fields.h"

namespace natctl::nft {

using namespace expression;

namespace {

/// Makes one nftnl_expr, attribute by attribute.
class Builder {
public:
    explicit Builder(const char* name) : handle_(allocated(nftnl_expr_alloc(name))) {}

    Builder& put(std::uint16_t attribute, std::uint32_t value) {
        nftnl_expr_set_u32(handle_.get(), attribute, value);
        return *this;
    }
    Builder& put_u8(std::uint16_t attribute, std::uint8_t value) {
        nftnl_expr_set_u8(handle_.get(), attribute, value);
        return *this;
    }
    Builder& put(std::uint16_t attribute, const Bytes& bytes) {
        nftnl_expr_set(handle_.get(), attribute, bytes.span().data(), bytes.size());
        return *this;
    }
    Builder& put(std::uint16_t attribute, const std::string& text) {
        nftnl_expr_set_str(handle_.get(), attribute, text.c_str());
        return *this;
    }
    NftnlExprPtr done() { return std::move(handle_); }

private:
    NftnlExprPtr handle_;
};

const char* name_of(Source source) {
    switch (source) {
    case Source::meta: return "meta";
    case Source::ct: return "ct";
    case Source::network_header:
    case Source::transport_header: return "payload";
    case Source::fib: return "fib";
    case Source::socket: return "socket";
    }
    assert(false);
    return "";
}

std::uint32_t protocol_of(Family family) {
    return family == Family::ipv4 ? std::uint32_t{NFPROTO_IPV4} : std::uint32_t{NFPROTO_IPV6};
}

int code_of(VerdictKind kind) {
    switch (kind) {
    case VerdictKind::accept: return NF_ACCEPT;
    case VerdictKind::drop: return NF_DROP;
    case VerdictKind::return_: return NFT_RETURN;
    case VerdictKind::jump: return NFT_JUMP;
    case VerdictKind::goto_: return NFT_GOTO;
    }
    assert(false);
    return NF_DROP;
}

NftnlExprPtr build(const Load& load) {
    const FieldRow& row = row_of(load.field);
    Builder builder(name_of(row.source));
    switch (row.source) {
    case Source::meta: builder.put(NFTNL_EXPR_META_KEY, row.key).put(NFTNL_EXPR_META_DREG, load.to); break;
    case Source::ct:
        builder.put(NFTNL_EXPR_CT_KEY, row.key).put(NFTNL_EXPR_CT_DREG, load.to);
        if (row.detail != FieldRow::none) builder.put_u8(NFTNL_EXPR_CT_DIR, static_cast<std::uint8_t>(row.detail));
        break;
    case Source::network_header:
    case Source::transport_header:
        builder
            .put(NFTNL_EXPR_PAYLOAD_BASE, row.source == Source::network_header
                                              ? std::uint32_t{NFT_PAYLOAD_NETWORK_HEADER}
                                              : std::uint32_t{NFT_PAYLOAD_TRANSPORT_HEADER})
            .put(NFTNL_EXPR_PAYLOAD_OFFSET, row.key)
            .put(NFTNL_EXPR_PAYLOAD_LEN, row.length)
            .put(NFTNL_EXPR_PAYLOAD_DREG, load.to);
        break;
    case Source::fib:
        builder.put(NFTNL_EXPR_FIB_RESULT, row.key)
            .put(NFTNL_EXPR_FIB_FLAGS, row.detail)
            .put(NFTNL_EXPR_FIB_DREG, load.to);
        break;
    case Source::socket: builder.put(NFTNL_EXPR_SOCKET_KEY, row.key).put(NFTNL_EXPR_SOCKET_DREG, load.to); break;
    }
    return builder.done();
}

NftnlExprPtr build(const Store& store) {
    const FieldRow& row = row_of(store.field);
    if (row.source == Source::ct)
        return Builder("ct").put(NFTNL_EXPR_CT_KEY, row.key).put(NFTNL_EXPR_CT_SREG, store.from).done();
    return Builder("meta").put(NFTNL_EXPR_META_KEY, row.key).put(NFTNL_EXPR_META_SREG, store.from).done();
}

NftnlExprPtr build(const Bitwise& bitwise) {
    return Builder("bitwise")
        .put(NFTNL_EXPR_BITWISE_SREG, bitwise.in_place)
        .put(NFTNL_EXPR_BITWISE_DREG, bitwise.in_place)
        .put(NFTNL_EXPR_BITWISE_LEN, bitwise.mask.size())
        .put(NFTNL_EXPR_BITWISE_MASK, bitwise.mask)
        .put(NFTNL_EXPR_BITWISE_XOR, bitwise.flip)
        .done();
}

NftnlExprPtr build(const Compare& compare) {
    return Builder("cmp")
        .put(NFTNL_EXPR_CMP_SREG, compare.from)
        .put(NFTNL_EXPR_CMP_OP, compare.op)
        .put(NFTNL_EXPR_CMP_DATA, compare.data)
        .done();
}

NftnlExprPtr build(const Immediate& immediate) {
    return Builder("immediate").put(NFTNL_EXPR_IMM_DREG, immediate.to).put(NFTNL_EXPR_IMM_DATA, immediate.data).done();
}

NftnlExprPtr build(const expression::Lookup& lookup) {
    Builder builder("lookup");
    builder.put(NFTNL_EXPR_LOOKUP_SREG, lookup.from).put(NFTNL_EXPR_LOOKUP_SET, lookup.set);
    if (lookup.to) builder.put(NFTNL_EXPR_LOOKUP_DREG, *lookup.to);
    if (lookup.inverted) builder.put(NFTNL_EXPR_LOOKUP_FLAGS, std::uint32_t{NFT_LOOKUP_F_INV});
    return builder.done();
}

NftnlExprPtr build(const Counter&) { return Builder("counter").done(); }

NftnlExprPtr build(const Verdict& verdict) {
    Builder builder("immediate");
    builder.put(NFTNL_EXPR_IMM_DREG, std::uint32_t{NFT_REG_VERDICT})
        .put(NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code_of(verdict.kind)));
    if (!verdict.chain.empty()) builder.put(NFTNL_EXPR_IMM_CHAIN, verdict.chain);
    return builder.done();
}

NftnlExprPtr build(const Nat& nat) {
    Builder builder("nat");
    builder
        .put(NFTNL_EXPR_NAT_TYPE, nat.kind == NatKind::dnat ? std::uint32_t{NFT_NAT_DNAT} : std::uint32_t{NFT_NAT_SNAT})
        .put(NFTNL_EXPR_NAT_FAMILY, protocol_of(nat.family))
        .put(NFTNL_EXPR_NAT_REG_ADDR_MIN, nat.first);
    if (nat.last) builder.put(NFTNL_EXPR_NAT_REG_ADDR_MAX, *nat.last);
    if (nat.flags != 0) builder.put(NFTNL_EXPR_NAT_FLAGS, nat.flags);
    return builder.done();
}

NftnlExprPtr build(const Masquerade&) { return Builder("masq").done(); }

NftnlExprPtr build(const expression::Tproxy& tproxy) {
    return Builder("tproxy")
        .put(NFTNL_EXPR_TPROXY_FAMILY, protocol_of(tproxy.family))
        .put(NFTNL_EXPR_TPROXY_REG_ADDR, tproxy.address)
        .put(NFTNL_EXPR_TPROXY_REG_PORT, tproxy.port)
        .done();
}

NftnlExprPtr build(const expression::Reject& reject) {
    return Builder("reject")
        .put(NFTNL_EXPR_REJECT_TYPE, reject.type)
        .put_u8(NFTNL_EXPR_REJECT_CODE, reject.code)
        .done();
}

NftnlExprPtr build(const LoadMss& load) {
    return Builder("rt").put(NFTNL_EXPR_RT_KEY, std::uint32_t{NFT_RT_TCPMSS}).put(NFTNL_EXPR_RT_DREG, load.to).done();
}

NftnlExprPtr build(const ToNetworkOrder& order) {
    return Builder("byteorder")
        .put(NFTNL_EXPR_BYTEORDER_SREG, order.in_place)
        .put(NFTNL_EXPR_BYTEORDER_DREG, order.in_place)
        .put(NFTNL_EXPR_BYTEORDER_OP, std::uint32_t{NFT_BYTEORDER_HTON})
        .put(NFTNL_EXPR_BYTEORDER_LEN, 2U)
        .put(NFTNL_EXPR_BYTEORDER_SIZE, 2U)
        .done();
}

NftnlExprPtr build(const StoreMss& store) {
    return Builder("exthdr")
        .put(NFTNL_EXPR_EXTHDR_SREG, store.from)
        .put_u8(NFTNL_EXPR_EXTHDR_TYPE, TCPOPT_MAXSEG)
        .put(NFTNL_EXPR_EXTHDR_OFFSET, 2U)
        .put(NFTNL_EXPR_EXTHDR_LEN, 2U)
        .put(NFTNL_EXPR_EXTHDR_OP, std::uint32_t{NFT_EXTHDR_OP_TCPOPT})
        .done();
}

NftnlExprPtr build(const Other&) {
    assert(false && "only what is ours can be written");
    return nullptr;
}

/// Reads the attributes of one nftnl_expr. What is absent reads as 0 or nothing.
class Reader {
public:
    explicit Reader(const nftnl_expr& handle) : handle_(handle) {}

    bool has(std::uint16_t attribute) const { return nftnl_expr_is_set(&handle_, attribute); }
    std::uint32_t u32(std::uint16_t attribute) const {
        return has(attribute) ? nftnl_expr_get_u32(&handle_, attribute) : 0;
    }
    std::uint8_t u8(std::uint16_t attribute) const {
        return has(attribute) ? nftnl_expr_get_u8(&handle_, attribute) : 0;
    }
    std::string text(std::uint16_t attribute) const {
        return has(attribute) ? nftnl_expr_get_str(&handle_, attribute) : "";
    }
    Bytes bytes(std::uint16_t attribute) const {
        if (!has(attribute)) return {};
        std::uint32_t size = 0;
        const auto* data = static_cast<const std::uint8_t*>(nftnl_expr_get(&handle_, attribute, &size));
        Bytes result;
        result.append(std::span(data, std::min<std::uint32_t>(size, Bytes::capacity)));
        return result;
    }

private:
    const nftnl_expr& handle_;
};

using Result = std::optional<Expression>;

std::optional<Field> find_field(auto condition) {
    const auto rows = field_rows();
    const auto found = std::ranges::find_if(rows, condition);
    return found == rows.end() ? std::nullopt : std::optional(found->field);
}

Result load(std::optional<Field> field, Register to) {
    if (!field) return std::nullopt;
    return Load{*field, to};
}

Result read_meta(const Reader& reader) {
    const auto field = find_field([key = reader.u32(NFTNL_EXPR_META_KEY)](const FieldRow& row) {
        return row.source == Source::meta && row.key == key;
    });
    if (!reader.has(NFTNL_EXPR_META_SREG)) return load(field, reader.u32(NFTNL_EXPR_META_DREG));
    if (field != Field::mark) return std::nullopt;
    return Store{*field, reader.u32(NFTNL_EXPR_META_SREG)};
}

Result read_ct(const Reader& reader) {
    const std::uint32_t direction = reader.has(NFTNL_EXPR_CT_DIR) ? reader.u8(NFTNL_EXPR_CT_DIR) : FieldRow::none;
    const auto field = find_field([&, key = reader.u32(NFTNL_EXPR_CT_KEY)](const FieldRow& row) {
        return row.source == Source::ct && row.key == key && row.detail == direction;
    });
    if (!reader.has(NFTNL_EXPR_CT_SREG)) return load(field, reader.u32(NFTNL_EXPR_CT_DREG));
    if (field != Field::ct_mark) return std::nullopt;
    return Store{*field, reader.u32(NFTNL_EXPR_CT_SREG)};
}

Result read_payload(const Reader& reader) {
    if (reader.has(NFTNL_EXPR_PAYLOAD_SREG)) return std::nullopt;
    const std::uint32_t base = reader.u32(NFTNL_EXPR_PAYLOAD_BASE);
    if (base != NFT_PAYLOAD_NETWORK_HEADER && base != NFT_PAYLOAD_TRANSPORT_HEADER) return std::nullopt;
    const Source source = base == NFT_PAYLOAD_NETWORK_HEADER ? Source::network_header : Source::transport_header;
    const auto field = find_field([&](const FieldRow& row) {
        return row.source == source && row.key == reader.u32(NFTNL_EXPR_PAYLOAD_OFFSET) &&
               row.length == reader.u32(NFTNL_EXPR_PAYLOAD_LEN);
    });
    return load(field, reader.u32(NFTNL_EXPR_PAYLOAD_DREG));
}

Result read_fib(const Reader& reader) {
    const auto field = find_field([&](const FieldRow& row) {
        return row.source == Source::fib && row.key == reader.u32(NFTNL_EXPR_FIB_RESULT) &&
               row.detail == reader.u32(NFTNL_EXPR_FIB_FLAGS);
    });
    return load(field, reader.u32(NFTNL_EXPR_FIB_DREG));
}

Result read_socket(const Reader& reader) {
    const auto field = find_field([&](const FieldRow& row) {
        return row.source == Source::socket && row.key == reader.u32(NFTNL_EXPR_SOCKET_KEY);
    });
    return load(field, reader.u32(NFTNL_EXPR_SOCKET_DREG));
}

Result read_bitwise(const Reader& reader) {
    const Bitwise bitwise{reader.u32(NFTNL_EXPR_BITWISE_SREG), reader.bytes(NFTNL_EXPR_BITWISE_MASK),
                          reader.bytes(NFTNL_EXPR_BITWISE_XOR)};
    if (reader.u32(NFTNL_EXPR_BITWISE_OP) != NFT_BITWISE_BOOL ||
        reader.u32(NFTNL_EXPR_BITWISE_DREG) != bitwise.in_place)
        return std::nullopt;
    return bitwise;
}

Result read_compare(const Reader& reader) {
    return Compare{reader.u32(NFTNL_EXPR_CMP_SREG), reader.u32(NFTNL_EXPR_CMP_OP), reader.bytes(NFTNL_EXPR_CMP_DATA)};
}

std::optional<VerdictKind> verdict_kind(int code) {
    for (const VerdictKind kind :
         {VerdictKind::accept, VerdictKind::drop, VerdictKind::return_, VerdictKind::jump, VerdictKind::goto_})
        if (code == code_of(kind)) return kind;
    return std::nullopt;
}

Result read_immediate(const Reader& reader) {
    if (reader.u32(NFTNL_EXPR_IMM_DREG) != NFT_REG_VERDICT)
        return Immediate{reader.u32(NFTNL_EXPR_IMM_DREG), reader.bytes(NFTNL_EXPR_IMM_DATA)};
    const auto kind = verdict_kind(static_cast<int>(reader.u32(NFTNL_EXPR_IMM_VERDICT)));
    if (!kind) return std::nullopt;
    return Verdict{*kind, reader.text(NFTNL_EXPR_IMM_CHAIN)};
}

Result read_lookup(const Reader& reader) {
    const std::uint32_t flags = reader.u32(NFTNL_EXPR_LOOKUP_FLAGS);
    if ((flags & ~std::uint32_t{NFT_LOOKUP_F_INV}) != 0) return std::nullopt;
    expression::Lookup lookup{reader.text(NFTNL_EXPR_LOOKUP_SET), reader.u32(NFTNL_EXPR_LOOKUP_SREG), flags != 0};
    if (reader.has(NFTNL_EXPR_LOOKUP_DREG)) lookup.to = reader.u32(NFTNL_EXPR_LOOKUP_DREG);
    return lookup;
}

std::optional<Family> family_of(std::uint32_t protocol) {
    if (protocol == NFPROTO_IPV4) return Family::ipv4;
    if (protocol == NFPROTO_IPV6) return Family::ipv6;
    return std::nullopt;
}

Result read_nat(const Reader& reader) {
    const auto family = family_of(reader.u32(NFTNL_EXPR_NAT_FAMILY));
    if (!family || reader.has(NFTNL_EXPR_NAT_REG_PROTO_MIN) || !reader.has(NFTNL_EXPR_NAT_REG_ADDR_MIN))
        return std::nullopt;
    const NatKind kind = reader.u32(NFTNL_EXPR_NAT_TYPE) == NFT_NAT_DNAT ? NatKind::dnat : NatKind::snat;
    Nat nat{kind, *family, reader.u32(NFTNL_EXPR_NAT_REG_ADDR_MIN)};
    // The kernel sets one flag itself, and names the last register also where it is the first.
    nat.flags = reader.u32(NFTNL_EXPR_NAT_FLAGS) & ~std::uint32_t{NF_NAT_RANGE_MAP_IPS};
    if (reader.has(NFTNL_EXPR_NAT_REG_ADDR_MAX) && reader.u32(NFTNL_EXPR_NAT_REG_ADDR_MAX) != nat.first)
        nat.last = reader.u32(NFTNL_EXPR_NAT_REG_ADDR_MAX);
    return nat;
}

Result read_masquerade(const Reader& reader) {
    if (reader.u32(NFTNL_EXPR_MASQ_FLAGS) != 0 || reader.has(NFTNL_EXPR_MASQ_REG_PROTO_MIN)) return std::nullopt;
    return Masquerade{};
}

Result read_tproxy(const Reader& reader) {
    const auto family = family_of(reader.u32(NFTNL_EXPR_TPROXY_FAMILY));
    if (!family || !reader.has(NFTNL_EXPR_TPROXY_REG_ADDR) || !reader.has(NFTNL_EXPR_TPROXY_REG_PORT))
        return std::nullopt;
    return expression::Tproxy{*family, reader.u32(NFTNL_EXPR_TPROXY_REG_ADDR), reader.u32(NFTNL_EXPR_TPROXY_REG_PORT)};
}

Result read_reject(const Reader& reader) {
    return expression::Reject{reader.u32(NFTNL_EXPR_REJECT_TYPE), reader.u8(NFTNL_EXPR_REJECT_CODE)};
}

Result read_rt(const Reader& reader) {
    if (reader.u32(NFTNL_EXPR_RT_KEY) != NFT_RT_TCPMSS) return std::nullopt;
    return LoadMss{reader.u32(NFTNL_EXPR_RT_DREG)};
}

Result read_byteorder(const Reader& reader) {
    const ToNetworkOrder order{reader.u32(NFTNL_EXPR_BYTEORDER_SREG)};
    const bool ours = reader.u32(NFTNL_EXPR_BYTEORDER_DREG) == order.in_place &&
                      reader.u32(NFTNL_EXPR_BYTEORDER_OP) == NFT_BYTEORDER_HTON &&
                      reader.u32(NFTNL_EXPR_BYTEORDER_LEN) == 2 && reader.u32(NFTNL_EXPR_BYTEORDER_SIZE) == 2;
    return ours ? Result(order) : std::nullopt;
}

Result read_exthdr(const Reader& reader) {
    const bool ours = reader.has(NFTNL_EXPR_EXTHDR_SREG) && reader.u8(NFTNL_EXPR_EXTHDR_TYPE) == TCPOPT_MAXSEG &&
                      reader.u32(NFTNL_EXPR_EXTHDR_OP) == NFT_EXTHDR_OP_TCPOPT &&
                      reader.u32(NFTNL_EXPR_EXTHDR_OFFSET) == 2 && reader.u32(NFTNL_EXPR_EXTHDR_LEN) == 2;
    return ours ? Result(StoreMss{reader.u32(NFTNL_EXPR_EXTHDR_SREG)}) : std::nullopt;
}

Result read_counter(const Reader&) { return Counter{}; }

struct Kind {
    std::string_view name;
    Result (*read)(const Reader&);
};
constexpr std::array kinds{
    Kind{"meta", read_meta},       Kind{"ct", read_ct},
    Kind{"payload", read_payload}, Kind{"fib", read_fib},
    Kind{"socket", read_socket},   Kind{"bitwise", read_bitwise},
    Kind{"cmp", read_compare},     Kind{"immediate", read_immediate},
    Kind{"lookup", read_lookup},   Kind{"counter", read_counter},
    Kind{"nat", read_nat},         Kind{"masq", read_masquerade},
    Kind{"tproxy", read_tproxy},   Kind{"reject", read_reject},
    Kind{"rt", read_rt},           Kind{"byteorder", read_byteorder},
    Kind{"exthdr", read_exthdr},
};

} // namespace

Register expression::register_at(unsigned offset) {
    assert(offset % NFT_REG32_SIZE == 0);
    return offset % NFT_REG_SIZE == 0 ? NFT_REG_1 + offset / NFT_REG_SIZE : NFT_REG32_00 + offset / NFT_REG32_SIZE;
}

NftnlExprPtr to_nftnl(const Expression& expression) {
    return std::visit([](const auto& value) { return build(value); }, expression);
}

std::string name_of(const Expression& expression) {
    if (const auto* other = std::get_if<Other>(&expression)) return other->name;
    const NftnlExprPtr handle = to_nftnl(expression);
    return nftnl_expr_get_str(handle.get(), NFTNL_EXPR_NAME);
}

Expression from_nftnl(const nftnl_expr& expression) {
    const std::string name = nftnl_expr_get_str(&expression, NFTNL_EXPR_NAME);
    const auto* const kind = std::ranges::find(kinds, name, &Kind::name);
    const Result known = kind == kinds.end() ? std::nullopt : kind->read(Reader(expression));
    return known ? *known : Other{name};
}

} // namespace natctl::nft
