// SPDX-License-Identifier: GPL-3.0-or-later
// Before the kernel's headers, which then leave out what it defines.
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>

#include "nftctl/kernel/cgroup.h"
#include "nftctl/kernel/fields.h"
#include "nftctl/kernel/lower.h"

namespace natctl::nft {

using namespace expression;

namespace {

/// A number out of a register; nullopt when the size is not the field's.
std::optional<std::uint32_t> decode(const FieldRow& row, const Bytes& bytes) {
    if (bytes.size() != row.length) return std::nullopt;
    if (row.length == 1) return bytes.span()[0];
    if (row.length == 2) return std::uint32_t{bytes.span()[0]} << 8 | bytes.span()[1];
    if (row.length != 4 || row.order == ByteOrder::text) return std::nullopt;
    std::uint32_t value = 0;
    std::memcpy(&value, bytes.span().data(), sizeof value);
    return row.order == ByteOrder::network ? ntohl(value) : value;
}

std::optional<std::uint32_t> decode_mark(const Bytes& bytes) { return decode(row_of(Field::mark), bytes); }

std::optional<Address> decode_address(const Bytes& bytes, Family family) {
    if (bytes.size() != address_bits(family) / 8) return std::nullopt;
    return Address::from_bytes(family, bytes.span());
}

/// "eth0" and nothing but zeros behind it: shorter values are patterns ("eth*").
std::optional<std::string> decode_interface(const Bytes& bytes) {
    const auto span = bytes.span();
    const auto end = std::ranges::find(span, 0);
    if (span.size() != row_of(Field::iifname).length || end == span.end()) return std::nullopt;
    return std::string(span.begin(), end);
}

std::uint16_t port_of(const Bytes& bytes) { return static_cast<std::uint16_t>(bytes.span()[0] << 8 | bytes.span()[1]); }

std::optional<Op> decode_op(std::uint32_t op) {
    if (op == NFT_CMP_EQ) return Op::eq;
    if (op == NFT_CMP_NEQ) return Op::ne;
    return std::nullopt;
}

/// Reads the expressions from the front to the back and knows what is tested already.
class Raising {
public:
    explicit Raising(const std::vector<Expression>& expressions) : expressions_(expressions) {}

    Rule run() {
        while (at_ < expressions_.size()) {
            if (skip_implied()) continue;
            if (auto statement = next()) {
                rule_.statements.push_back(std::move(*statement));
            } else {
                rule_.statements.push_back(Unknown{name_of(expressions_[at_])});
                ++at_;
            }
        }
        return std::move(rule_);
    }

private:
    /// The expression `ahead` of the current one, when it is of this kind.
    template <class Kind>
    const Kind* peek(std::size_t ahead) const {
        return at_ + ahead < expressions_.size() ? std::get_if<Kind>(&expressions_[at_ + ahead]) : nullptr;
    }

    /// The fields loaded into registers that follow each other, from `ahead` on.
    std::vector<Field> peek_key(std::size_t ahead) const {
        std::vector<Field> key;
        unsigned offset = 0;
        while (const auto* load = peek<Load>(ahead + key.size())) {
            if (load->to != register_at(offset)) break;
            key.push_back(load->field);
            offset += (row_of(load->field).length + 3U) / 4 * 4;
        }
        return key;
    }

    std::optional<std::uint32_t> peek_test(Field field) const {
        const auto* load = peek<Load>(0);
        const auto* compare = peek<Compare>(1);
        if (load == nullptr || load->field != field || compare == nullptr || compare->op != NFT_CMP_EQ)
            return std::nullopt;
        return decode(row_of(field), compare->data);
    }

    /// Steps over a test that lower() makes by itself.
    bool skip_implied() {
        const auto needs = [key = peek_key(2)](auto condition) { return std::ranges::any_of(key, condition); };
        if (const auto protocol = peek_test(Field::nfproto)) {
            const auto family = family_of(*protocol);
            if (family && family_ != family && needs([&](Field field) { return implied_family(field) == family; })) {
                family_ = family;
                at_ += 2;
                return true;
            }
        }
        const auto protocol = peek_test(Field::l4proto);
        if (protocol && protocol_ != protocol &&
            needs([&](Field field) { return implied_protocol(field) == protocol; })) {
            protocol_ = protocol;
            at_ += 2;
            return true;
        }
        return false;
    }

    template <class Result>
    Result take(std::size_t count, Result result) {
        at_ += count;
        return result;
    }

    std::optional<Statement> next() {
        if (const auto* counter = peek<Counter>(0)) return take(1, *counter);
        if (const auto* verdict = peek<Verdict>(0)) return take(1, *verdict);
        if (const auto* masquerade = peek<Masquerade>(0)) return take(1, *masquerade);
        if (const auto* helper = peek<SetHelper>(0)) return take(1, *helper);
        if (const auto* cgroup = peek<LoadCgroup>(0)) return next_cgroup(*cgroup);
        if (const auto* reject = peek<expression::Reject>(0)) return next_reject(*reject);
        if (peek<LoadMss>(0) != nullptr && peek<ToNetworkOrder>(1) != nullptr && peek<StoreMss>(2) != nullptr)
            return take(3, ClampMss{});
        if (const auto* immediate = peek<Immediate>(0)) return next_immediate(*immediate);
        if (peek<Load>(0) != nullptr) return next_load();
        return std::nullopt;
    }

    std::optional<Statement> next_cgroup(const LoadCgroup& load) {
        const auto* compare = peek<Compare>(1);
        std::uint64_t id = 0;
        if (compare == nullptr || compare->op != NFT_CMP_EQ || compare->data.size() != sizeof id) return std::nullopt;
        std::memcpy(&id, compare->data.span().data(), sizeof id);
        return take(2, CgroupMatch{load.level, id, cgroup_path(id)});
    }

    std::optional<Statement> next_reject(const expression::Reject& reject) {
        if (reject.type == NFT_REJECT_TCP_RST && protocol_ == std::uint32_t{IPPROTO_TCP})
            return take(1, nft::Reject{RejectKind::tcp_reset});
        if (reject.type == NFT_REJECT_ICMPX_UNREACH && reject.code == NFT_REJECT_ICMPX_NO_ROUTE)
            return take(1, nft::Reject{RejectKind::icmpx_no_route});
        if (reject.type != NFT_REJECT_ICMP_UNREACH) return std::nullopt;
        if (family_ == Family::ipv4 && reject.code == ICMP_HOST_UNREACH)
            return take(1, nft::Reject{RejectKind::icmp_host_unreachable});
        if (family_ == Family::ipv6 && reject.code == ICMPV6_ADDR_UNREACH)
            return take(1, nft::Reject{RejectKind::icmpv6_addr_unreachable});
        return std::nullopt;
    }

    std::optional<Statement> next_immediate(const Immediate& immediate) {
        if (const auto* store = peek<Store>(1)) {
            const auto value = decode_mark(immediate.data);
            if (value) return take(2, SetMark{store->field, 0, *value});
        }
        if (const auto* nat = peek<Nat>(1)) {
            const auto to = decode_address(immediate.data, nat->family);
            if (to) return take(2, NatTo{nat->kind, *to});
        }
        if (peek<expression::Redirect>(1) != nullptr && immediate.data.size() == 2)
            return take(2, nft::Redirect{port_of(immediate.data)});
        const auto* second = peek<Immediate>(1);
        const auto* tproxy = peek<expression::Tproxy>(2);
        if (second == nullptr || tproxy == nullptr || second->data.size() != 2) return std::nullopt;
        const auto address = decode_address(immediate.data, tproxy->family);
        if (!address) return std::nullopt;
        return take(3, nft::Tproxy{{*address, port_of(second->data)}});
    }

    std::optional<Statement> next_load() {
        const std::vector<Field> key = peek_key(0);
        if (const auto* lookup = peek<expression::Lookup>(key.size()); lookup != nullptr && !key.empty()) {
            if (!lookup->to)
                return take(key.size() + 1, nft::Lookup{key, lookup->set, lookup->inverted ? Op::ne : Op::eq});
            if (key.size() != 1) return std::nullopt;
            if (*lookup->to == NFT_REG_VERDICT) return take(2, VerdictMap{key.front(), lookup->set});
            const auto* nat = peek<Nat>(2);
            if (nat == nullptr) return std::nullopt;
            return take(3, NatMap{nat->kind, key.front(), lookup->set, nat->flags != 0});
        }
        const Field field = peek<Load>(0)->field;
        if (const auto* compare = peek<Compare>(1)) return next_match(field, {}, *compare, 2);
        const auto* bitwise = peek<Bitwise>(1);
        if (bitwise == nullptr) return std::nullopt;
        if (const auto* compare = peek<Compare>(2)) {
            const auto mask = decode(row_of(field), bitwise->mask);
            return mask ? next_match(field, mask, *compare, 3) : std::nullopt;
        }
        if (const auto* store = peek<Store>(2)) {
            const auto keep = decode_mark(bitwise->mask);
            const auto value = decode_mark(bitwise->flip);
            if (keep && value && (*keep & *value) == 0) return take(3, SetMark{store->field, *keep, *value});
        }
        return std::nullopt;
    }

    std::optional<Statement> next_match(Field field, std::optional<std::uint32_t> mask, const Compare& compare,
                                        std::size_t length) {
        const FieldRow& row = row_of(field);
        const auto op = decode_op(compare.op);
        if (!op) return std::nullopt;
        if (row.order == ByteOrder::text) {
            const auto name = decode_interface(compare.data);
            if (!name || mask) return std::nullopt;
            return take(length, Match{field, {}, *op, *name});
        }
        const auto value = decode(row, compare.data);
        if (!value) return std::nullopt;
        if (!mask && *op == Op::eq && field == Field::nfproto && family_of(*value)) family_ = family_of(*value);
        if (!mask && *op == Op::eq && field == Field::l4proto) protocol_ = *value;
        return take(length, Match{field, mask, *op, *value});
    }

    const std::vector<Expression>& expressions_;
    std::size_t at_ = 0;
    Rule rule_;
    std::optional<Family> family_;
    std::optional<std::uint32_t> protocol_;
};

} // namespace

Rule raise(const std::vector<Expression>& expressions) {
    Rule rule = Raising(expressions).run();
    const bool understood =
        std::ranges::none_of(rule.statements, [](const Statement& s) { return std::holds_alternative<Unknown>(s); });
    // The parser looks at what tells one statement from another; this looks at all the rest.
    if (understood && lower(rule) != expressions) return {{Unknown{"rule"}}};
    return rule;
}

} // namespace natctl::nft
