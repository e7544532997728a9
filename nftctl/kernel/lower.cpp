// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/lower.h"

#include <bit>
#include <cassert>
#include <cstring>

// Before the kernel's headers, which then leave out what it defines.
#include <netinet/in.h>

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "nftctl/kernel/fields.h"

namespace natctl::nft {

using namespace expression;

namespace {

constexpr Register first_register = NFT_REG_1;
constexpr Register second_register = NFT_REG_2;

template <class T>
Bytes bytes_of(T value) {
    std::array<std::uint8_t, sizeof value> bytes{};
    std::memcpy(bytes.data(), &value, sizeof value);
    Bytes result;
    result.append(bytes);
    return result;
}

/// A number as it stands in a register after the field was loaded.
Bytes encode(const FieldRow& row, std::uint32_t value) {
    if (row.length == 1) {
        assert(value <= 0xff);
        return bytes_of(static_cast<std::uint8_t>(value));
    }
    if (row.length == 2) {
        assert(value <= 0xffff && row.order == ByteOrder::network);
        return bytes_of(htons(static_cast<std::uint16_t>(value)));
    }
    assert(row.length == 4);
    return bytes_of(row.order == ByteOrder::network ? htonl(value) : value);
}

constexpr unsigned padded(unsigned length) { return (length + 3) / 4 * 4; }

class Lowering {
public:
    std::vector<Expression> run(const Rule& rule) {
        for (const Statement& statement : rule.statements)
            std::visit([this](const auto& value) { add(value); }, statement);
        return std::move(result_);
    }

private:
    void put(Expression expression) { result_.push_back(std::move(expression)); }

    void test(Field field, std::uint8_t value) {
        put(Load{field, first_register});
        put(Compare{first_register, NFT_CMP_EQ, bytes_of(value)});
    }

    void need(Field field) {
        if (const auto family = implied_family(field); family && family_ != family) {
            test(Field::nfproto, protocol_number(*family));
            family_ = family;
        }
        if (const auto protocol = implied_protocol(field); protocol && protocol_ != protocol) {
            test(Field::l4proto, *protocol);
            protocol_ = protocol;
        }
    }

    /// Returns the number of bytes taken in the registers.
    unsigned load(const std::vector<Field>& key) {
        for (const Field field : key) need(field);
        unsigned offset = 0;
        for (const Field field : key) {
            put(Load{field, register_at(offset)});
            offset += padded(row_of(field).length);
        }
        return offset;
    }

    void add(const Match& match) {
        const FieldRow& row = row_of(match.field);
        need(match.field);
        put(Load{match.field, first_register});
        const std::uint32_t op = match.op == Op::eq ? NFT_CMP_EQ : NFT_CMP_NEQ;
        if (const auto* name = std::get_if<std::string>(&match.value)) {
            assert(row.order == ByteOrder::text && !match.mask);
            Bytes data;
            data.append_interface(*name);
            put(Compare{first_register, op, data});
            return;
        }
        const auto value = std::get<std::uint32_t>(match.value);
        if (match.mask) put(Bitwise{first_register, encode(row, *match.mask), encode(row, 0)});
        put(Compare{first_register, op, encode(row, value)});
        if (match.mask || match.op == Op::ne) return;
        if (match.field == Field::nfproto && family_of(value)) family_ = family_of(value);
        if (match.field == Field::l4proto) protocol_ = static_cast<std::uint8_t>(value);
    }

    void add(const nft::Lookup& lookup) {
        load(lookup.key);
        put(expression::Lookup{lookup.set, first_register, lookup.op == Op::ne});
    }

    void add(const SetMark& set) {
        assert((set.keep & set.value) == 0);
        if (set.keep == 0) {
            put(Immediate{first_register, bytes_of(set.value)});
        } else {
            put(Load{set.target, first_register});
            put(Bitwise{first_register, bytes_of(set.keep), bytes_of(set.value)});
        }
        put(Store{set.target, first_register});
    }

    void add(const Counter& counter) { put(counter); }
    void add(const SetHelper& helper) { put(helper); }

    void add(const CgroupMatch& match) {
        put(LoadCgroup{match.level, first_register});
        put(Compare{first_register, NFT_CMP_EQ, bytes_of(match.id)});
    }

    void add(const nft::Redirect& redirect) {
        put(Immediate{first_register, bytes_of(htons(redirect.port))});
        put(expression::Redirect{first_register});
    }
    void add(const Verdict& verdict) { put(verdict); }
    void add(const VerdictMap& map) {
        load({map.key});
        put(expression::Lookup{map.map, first_register, false, NFT_REG_VERDICT});
    }
    void add(const Masquerade& masquerade) { put(masquerade); }

    void add(const nft::Tproxy& tproxy) {
        put(Immediate{first_register, Bytes(tproxy.to.address)});
        put(Immediate{second_register, bytes_of(htons(tproxy.to.port))});
        put(expression::Tproxy{tproxy.to.address.family(), first_register, second_register});
    }

    void add(const NatMap& nat) {
        load({nat.key});
        put(expression::Lookup{nat.map, first_register, false, first_register});
        const Family family = family_of_key(nat.key);
        const unsigned size = address_bits(family) / 8;
        if (nat.prefix)
            put(Nat{nat.kind, family, first_register, register_at(size), NF_NAT_RANGE_NETMAP});
        else
            put(Nat{nat.kind, family, first_register});
    }

    void add(const NatTo& nat) {
        put(Immediate{first_register, Bytes(nat.to)});
        put(Nat{nat.kind, nat.to.family(), first_register});
    }

    void add(const nft::Reject& reject) {
        switch (reject.kind) {
        case RejectKind::tcp_reset:
            assert(protocol_ == IPPROTO_TCP);
            put(expression::Reject{NFT_REJECT_TCP_RST, 0});
            break;
        case RejectKind::icmpx_no_route:
            put(expression::Reject{NFT_REJECT_ICMPX_UNREACH, NFT_REJECT_ICMPX_NO_ROUTE});
            break;
        case RejectKind::icmp_host_unreachable:
            assert(family_ == Family::ipv4);
            put(expression::Reject{NFT_REJECT_ICMP_UNREACH, ICMP_HOST_UNREACH});
            break;
        case RejectKind::icmpv6_addr_unreachable:
            assert(family_ == Family::ipv6);
            put(expression::Reject{NFT_REJECT_ICMP_UNREACH, ICMPV6_ADDR_UNREACH});
            break;
        }
    }

    void add(const ClampMss&) {
        put(LoadMss{first_register});
        put(ToNetworkOrder{first_register});
        put(StoreMss{first_register});
    }

    void add(const Unknown&) { assert(false && "only what is ours can be written"); }

    static Family family_of_key(Field field) {
        if (const auto family = implied_family(field)) return *family;
        return row_of(field).length == 4 ? Family::ipv4 : Family::ipv6;
    }

    std::vector<Expression> result_;
    std::optional<Family> family_;
    std::optional<std::uint8_t> protocol_;
};

} // namespace

std::vector<Expression> lower(const Rule& rule) { return Lowering().run(rule); }

} // namespace natctl::nft
