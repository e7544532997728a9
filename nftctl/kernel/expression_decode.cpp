// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>

// Before the kernel's headers, which then leave out what it defines.
#include <netinet/tcp.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "nftctl/kernel/expression.h"
#include "nftctl/kernel/expression_attributes.h"
#include "nftctl/kernel/fields.h"

namespace natctl::nft {

using namespace expression;

namespace {

class Reader : public ExpressionAttributes {
public:
    using ExpressionAttributes::ExpressionAttributes;

    Bytes bytes(std::uint16_t attribute) const {
        const auto found = data(attribute);
        Bytes result;
        result.append(found.first(std::min<std::size_t>(found.size(), Bytes::capacity)));
        return result;
    }
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
    if (reader.u32(NFTNL_EXPR_SOCKET_KEY) == NFT_SOCKET_CGROUPV2)
        return LoadCgroup{reader.u32(NFTNL_EXPR_SOCKET_LEVEL), reader.u32(NFTNL_EXPR_SOCKET_DREG)};
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

Result read_redirect(const Reader& reader) {
    const bool ours = reader.u32(NFTNL_EXPR_REDIR_FLAGS) == NF_NAT_RANGE_PROTO_SPECIFIED;
    const Register port = reader.u32(NFTNL_EXPR_REDIR_REG_PROTO_MIN);
    // The kernel names the last register also where it is the first.
    const bool one = !reader.has(NFTNL_EXPR_REDIR_REG_PROTO_MAX) || reader.u32(NFTNL_EXPR_REDIR_REG_PROTO_MAX) == port;
    return ours && one ? Result(expression::Redirect{port}) : std::nullopt;
}

Result read_object(const Reader& reader) {
    if (reader.u32(NFTNL_EXPR_OBJREF_IMM_TYPE) != NFT_OBJECT_CT_HELPER) return std::nullopt;
    return SetHelper{reader.text(NFTNL_EXPR_OBJREF_IMM_NAME)};
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
    Kind{"exthdr", read_exthdr},   Kind{"redir", read_redirect},
    Kind{"objref", read_object},
};

} // namespace

std::optional<VerdictKind> expression::verdict_kind(int code) {
    for (const VerdictKind kind :
         {VerdictKind::accept, VerdictKind::drop, VerdictKind::return_, VerdictKind::jump, VerdictKind::goto_})
        if (code == verdict_code(kind)) return kind;
    return std::nullopt;
}

Expression from_nftnl(const nftnl_expr& expression) {
    const std::string name = nftnl_expr_get_str(&expression, NFTNL_EXPR_NAME);
    const auto* const kind = std::ranges::find(kinds, name, &Kind::name);
    const Result known = kind == kinds.end() ? std::nullopt : kind->read(Reader(expression));
    return known ? *known : Other{name};
}

} // namespace natctl::nft
