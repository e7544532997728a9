// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/expression.h"

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
        .put(NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(verdict_code(verdict.kind)));
    if (!verdict.chain.empty()) builder.put(NFTNL_EXPR_IMM_CHAIN, verdict.chain);
    return builder.done();
}

NftnlExprPtr build(const Nat& nat) {
    Builder builder("nat");
    builder
        .put(NFTNL_EXPR_NAT_TYPE, nat.kind == NatKind::dnat ? std::uint32_t{NFT_NAT_DNAT} : std::uint32_t{NFT_NAT_SNAT})
        .put(NFTNL_EXPR_NAT_FAMILY, protocol_number(nat.family))
        .put(NFTNL_EXPR_NAT_REG_ADDR_MIN, nat.first);
    if (nat.last) builder.put(NFTNL_EXPR_NAT_REG_ADDR_MAX, *nat.last);
    if (nat.flags != 0) builder.put(NFTNL_EXPR_NAT_FLAGS, nat.flags);
    return builder.done();
}

NftnlExprPtr build(const Masquerade&) { return Builder("masq").done(); }

NftnlExprPtr build(const expression::Tproxy& tproxy) {
    return Builder("tproxy")
        .put(NFTNL_EXPR_TPROXY_FAMILY, protocol_number(tproxy.family))
        .put(NFTNL_EXPR_TPROXY_REG_ADDR, tproxy.address)
        .put(NFTNL_EXPR_TPROXY_REG_PORT, tproxy.port)
        .done();
}

NftnlExprPtr build(const expression::Redirect& redirect) {
    // nft sets the flag as well; the kernel would do so by itself.
    return Builder("redir")
        .put(NFTNL_EXPR_REDIR_REG_PROTO_MIN, redirect.port)
        .put(NFTNL_EXPR_REDIR_FLAGS, std::uint32_t{NF_NAT_RANGE_PROTO_SPECIFIED})
        .done();
}

NftnlExprPtr build(const LoadCgroup& load) {
    return Builder("socket")
        .put(NFTNL_EXPR_SOCKET_KEY, std::uint32_t{NFT_SOCKET_CGROUPV2})
        .put(NFTNL_EXPR_SOCKET_LEVEL, load.level)
        .put(NFTNL_EXPR_SOCKET_DREG, load.to)
        .done();
}

NftnlExprPtr build(const SetHelper& helper) {
    return Builder("objref")
        .put(NFTNL_EXPR_OBJREF_IMM_TYPE, std::uint32_t{NFT_OBJECT_CT_HELPER})
        .put(NFTNL_EXPR_OBJREF_IMM_NAME, helper.name)
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

} // namespace

int expression::verdict_code(VerdictKind kind) {
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

} // namespace natctl::nft
