// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <random>

#include <doctest/doctest.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "nftctl/kernel/chain_codec.h"
#include "nftctl/kernel/fields.h"
#include "nftctl/kernel/lower.h"
#include "tests/unit/kernel_sample.h"

using namespace natctl;
using namespace natctl::nft;

namespace {

/// Written as a message and parsed from it again.
Rule through_message(const Rule& rule) {
    std::array<char, 8192> buffer{};
    nlmsghdr* const message = nftnl_nlmsg_build_hdr(buffer.data(), NFT_MSG_NEWRULE, NFPROTO_INET, 0, 1);
    // The library reads a message only when it says what it is.
    message->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWRULE;
    nftnl_rule_nlmsg_build_payload(message, to_nftnl("chain", &rule).get());
    const NftnlRulePtr parsed(allocated(nftnl_rule_alloc()));
    REQUIRE(nftnl_rule_nlmsg_parse(message, parsed.get()) == 0);
    return from_nftnl(*parsed);
}

/// The names of the rule's expressions as the kernel knows them.
std::vector<std::string> names(const Rule& rule) {
    std::vector<std::string> result;
    for (const Expression& expression : lower(rule)) result.push_back(name_of(expression));
    return result;
}

using Names = std::vector<std::string>;

const Match from_10{Field::ip_saddr, {}, Op::eq, 0x0a000001U};
const Match to_10{Field::ip_daddr, {}, Op::eq, 0x0a000001U};

} // namespace

TEST_CASE("every rule of the sample comes back from its message") {
    for (const Chain& chain : test::sample_table().chains)
        for (std::size_t index = 0; index < chain.rules.size(); ++index)
            CHECK_MESSAGE(through_message(chain.rules[index]) == chain.rules[index], chain.name << " rule " << index);
}

TEST_CASE("the family is tested once, before the first field that needs it") {
    CHECK(names({{from_10, to_10}}) == Names{"meta", "cmp", "payload", "cmp", "payload", "cmp"});
    CHECK(names({{Lookup{{Field::iifname, Field::ip_saddr}, "s"}}}) ==
          Names{"meta", "cmp", "meta", "payload", "lookup"});
    CHECK(names({{Lookup{{Field::ct_original_ip_saddr}, "s"}}}) == Names{"ct", "lookup"});
    const Rule tested{{Match{Field::nfproto, {}, Op::eq, std::uint32_t{NFPROTO_IPV4}}, Counter{}, from_10}};
    CHECK(names(tested) == Names{"meta", "cmp", "counter", "payload", "cmp"});
    CHECK(through_message(tested) == tested);
}

TEST_CASE("TCP is tested once, before its flags") {
    const Match syn{Field::tcp_flags, 0x06, Op::eq, 0x02U};
    CHECK(names({{syn, syn}}) == Names{"meta", "cmp", "payload", "bitwise", "cmp", "payload", "bitwise", "cmp"});
    const Rule tested{{Match{Field::l4proto, {}, Op::eq, 6U}, Counter{}, syn}};
    CHECK(names(tested) == Names{"meta", "cmp", "counter", "payload", "bitwise", "cmp"});
    CHECK(through_message(tested) == tested);
}

TEST_CASE("registers follow each other by four bytes, and by sixteen where nft does so") {
    CHECK(expression::register_at(0) == NFT_REG_1);
    CHECK(expression::register_at(4) == NFT_REG32_01);
    CHECK(expression::register_at(16) == NFT_REG_2);
    const auto expressions = lower({{Lookup{{Field::ip_saddr, Field::iifname}, "s"}}});
    CHECK(std::get<expression::Load>(expressions.at(3)).to == NFT_REG32_01);
}

TEST_CASE("what ours never are becomes Unknown, and the rest of the rule stays readable") {
    using namespace expression;
    const auto raised = [](const std::vector<Expression>& expressions) { return raise(expressions).statements; };
    const auto unknown = [](const char* name) { return Statement(Unknown{name}); };
    Bytes four;
    four.append(std::array<std::uint8_t, 4>{10, 0, 0, 1});
    Bytes one;
    one.append(std::array<std::uint8_t, 1>{NFPROTO_IPV4});

    CHECK(raised({Counter{}, Other{"log"}, Masquerade{}}) ==
          std::vector<Statement>{Counter{}, unknown("log"), Masquerade{}});
    // Without the test for its family a field means something else.
    CHECK(raised({Load{Field::ip_saddr, NFT_REG_1}, Compare{NFT_REG_1, NFT_CMP_EQ, four}}) ==
          std::vector<Statement>{unknown("rule")});
    // A second test for the family that nobody needs.
    CHECK(raised({Load{Field::nfproto, NFT_REG_1}, Compare{NFT_REG_1, NFT_CMP_EQ, one},
                  Load{Field::ip_saddr, NFT_REG_1}, Compare{NFT_REG_1, NFT_CMP_EQ, four},
                  Load{Field::nfproto, NFT_REG_1}, Compare{NFT_REG_1, NFT_CMP_EQ, one}})
              .size() == 2);
    // Other registers, operators, sizes, flags.
    CHECK(raised({Load{Field::mark, NFT_REG_2}, Compare{NFT_REG_2, NFT_CMP_EQ, four}}).front() == unknown("rule"));
    CHECK(raised({Load{Field::mark, NFT_REG_1}, Compare{NFT_REG_1, NFT_CMP_GT, four}}).front() == unknown("meta"));
    CHECK(raised({Load{Field::mark, NFT_REG_1}, Compare{NFT_REG_1, NFT_CMP_EQ, one}}).front() == unknown("meta"));
    CHECK(raised({Immediate{NFT_REG_1, four}, Nat{NatKind::snat, Family::ipv4, NFT_REG_1, {}, 4}}) ==
          std::vector<Statement>{unknown("rule")});
    CHECK(raised({Immediate{NFT_REG_1, four}}) == std::vector<Statement>{unknown("immediate")});
    // An ICMP error whose family is open.
    CHECK(raised({expression::Reject{NFT_REJECT_ICMP_UNREACH, 1}}) == std::vector<Statement>{unknown("reject")});
    CHECK(raised({expression::Reject{NFT_REJECT_TCP_RST, 0}}) == std::vector<Statement>{unknown("reject")});
    // Mark bits that are kept and set at once.
    CHECK(
        raised({Load{Field::mark, NFT_REG_1}, Bitwise{NFT_REG_1, four, four}, Store{Field::mark, NFT_REG_1}}).size() ==
        3);
    // "eth*" is compared by its first bytes only.
    CHECK(raised({Load{Field::iifname, NFT_REG_1}, Compare{NFT_REG_1, NFT_CMP_EQ, four}}).front() == unknown("meta"));
}

TEST_CASE("any sequence of expressions is read, and what is understood is understood exactly") {
    using namespace expression;
    Bytes loopback;
    loopback.append_interface("lo");
    std::vector<Expression> parts{Counter{},
                                  Masquerade{},
                                  Other{"log"},
                                  Verdict{VerdictKind::accept},
                                  Verdict{VerdictKind::jump, "c"},
                                  LoadMss{NFT_REG_1},
                                  ToNetworkOrder{NFT_REG_1},
                                  StoreMss{NFT_REG_1},
                                  Store{Field::mark, NFT_REG_1},
                                  Store{Field::ct_mark, NFT_REG_1},
                                  expression::Lookup{"s", NFT_REG_1},
                                  expression::Lookup{"s", NFT_REG_1, true},
                                  expression::Lookup{"s", NFT_REG_1, false, NFT_REG_1},
                                  Nat{NatKind::snat, Family::ipv4, NFT_REG_1},
                                  Nat{NatKind::dnat, Family::ipv4, NFT_REG_1, NFT_REG32_01, 0x40},
                                  Nat{NatKind::dnat, Family::ipv6, NFT_REG_1, NFT_REG_2, 0x40},
                                  expression::Tproxy{Family::ipv4, NFT_REG_1, NFT_REG_2},
                                  expression::Reject{NFT_REJECT_TCP_RST, 0},
                                  expression::Reject{NFT_REJECT_ICMP_UNREACH, 1},
                                  expression::Reject{NFT_REJECT_ICMP_UNREACH, 3},
                                  expression::Reject{NFT_REJECT_ICMPX_UNREACH, 0},
                                  Compare{NFT_REG_1, NFT_CMP_EQ, loopback}};
    for (const FieldRow& row : field_rows())
        for (const Register to : {Register{NFT_REG_1}, Register{NFT_REG_2}}) parts.emplace_back(Load{row.field, to});
    for (const std::uint8_t value : std::array<std::uint8_t, 4>{0, 2, 6, 10}) {
        Bytes one;
        one.append(std::array{value});
        Bytes two;
        two.append(std::array<std::uint8_t, 2>{0, value});
        Bytes four;
        four.append(std::array<std::uint8_t, 4>{value, 0, 0, 0});
        for (const Bytes& bytes : {one, two, four}) {
            parts.emplace_back(Compare{NFT_REG_1, NFT_CMP_EQ, bytes});
            parts.emplace_back(Compare{NFT_REG_1, NFT_CMP_NEQ, bytes});
            parts.emplace_back(Immediate{NFT_REG_1, bytes});
            parts.emplace_back(Immediate{NFT_REG_2, bytes});
            parts.emplace_back(Bitwise{NFT_REG_1, bytes, one});
            parts.emplace_back(Bitwise{NFT_REG_1, bytes, four});
        }
    }

    std::minstd_rand random(1);
    unsigned understood = 0;
    for (int round = 0; round < 20000; ++round) {
        std::vector<Expression> expressions;
        for (std::size_t count = random() % 6; count > 0; --count)
            expressions.push_back(parts[random() % parts.size()]);
        const Rule rule = raise(expressions);
        const bool known = std::ranges::none_of(
            rule.statements, [](const Statement& statement) { return std::holds_alternative<Unknown>(statement); });
        if (!known) continue;
        ++understood;
        REQUIRE(lower(rule) == expressions);
    }
    CHECK(understood > 200);
}

TEST_CASE("chains come back from their messages") {
    for (const Chain& chain : test::sample_table().chains) {
        const NftnlChainPtr handle = to_nftnl(chain.name, chain.hook);
        const Chain found = from_nftnl(*handle);
        CHECK(found.name == chain.name);
        CHECK(found.hook == chain.hook);
        CHECK(found.rules.empty());
    }
    const NftnlChainPtr dropping = to_nftnl("pre", Hook{ChainType::filter, HookPoint::prerouting, 0});
    nftnl_chain_set_u32(dropping.get(), NFTNL_CHAIN_POLICY, NF_DROP);
    CHECK(!from_nftnl(*dropping).hook);
    CHECK(from_nftnl(*dropping).rules == std::vector<Rule>{{{Unknown{"policy drop"}}}});
}
