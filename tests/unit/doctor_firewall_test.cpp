// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstring>

#include <doctest/doctest.h>

#include "nftctl/doctor/firewall.h"
#include "tests/unit/doctor_sample.h"

using namespace natctl;
using namespace natctl::firewall;
using natctl::doctor::Grade;
using natctl::test::command_of;
using natctl::test::findings_of;
using natctl::test::sample_examination;
using natctl::test::sample_proxy_site;
using natctl::test::sample_site;

namespace {

/// As an interface's name stands in a register.
Octets name(const std::string& text) {
    Octets octets(16);
    std::copy(text.begin(), text.end(), octets.begin());
    return octets;
}

Octets native(std::uint32_t number) {
    Octets octets(sizeof number);
    std::memcpy(octets.data(), &number, sizeof number);
    return octets;
}

std::vector<Expression> iifname(const std::string& text) {
    return {Load{Source::iifname, 0, 16, 0}, Compare{0, Relation::eq, name(text)}};
}

/// ip daddr PREFIX
std::vector<Expression> to(const std::string& text) {
    const Prefix prefix = *Prefix::parse(text);
    const Address ones = Prefix(*Address::parse("255.255.255.255"), prefix.length()).network();
    const auto mask = ones.bytes();
    const auto network = prefix.network().bytes();
    return {Load{Source::network_header, 16, 4, 0}, Bitwise{0, 0, Octets(mask.begin(), mask.end()), Octets(4)},
            Compare{0, Relation::eq, Octets(network.begin(), network.end())}};
}

Rule rule(std::vector<Expression> expressions, Expression last, std::uint64_t handle = 7) {
    expressions.push_back(std::move(last));
    return {.expressions = std::move(expressions), .handle = handle};
}

Verdict accept() { return {VerdictKind::accept}; }
Verdict drop() { return {VerdictKind::drop}; }

Chain forward(std::vector<Rule> rules, bool drops = false) {
    return {.name = "fwd",
            .hook = nft::Hook{nft::ChainType::filter, nft::HookPoint::forward, 0},
            .drops_by_policy = drops,
            .rules = std::move(rules)};
}

Table table(std::vector<Chain> chains) {
    return {.family = TableFamily::inet, .name = "fw", .chains = std::move(chains)};
}

Packet packet() {
    return {.iif = "lan0",
            .oif = "ov0",
            .source = Address::parse("192.168.1.9"),
            .destination = Address::parse("198.18.2.9"),
            .mark = 0};
}

Fate fate_in(const Table& all) { return follow(all, all.chains.front(), packet()).fate; }
Fate fate(std::vector<Rule> rules, bool drops = false) { return fate_in(table({forward(std::move(rules), drops)})); }

} // namespace

TEST_CASE("policies and rules") {
    CHECK(fate({}) == Fate::passes);
    CHECK(fate({}, true) == Fate::dropped);
    CHECK(fate({rule(iifname("lan0"), accept())}, true) == Fate::passes);
    CHECK(fate({rule(iifname("wan0"), accept())}, true) == Fate::dropped);
    CHECK(fate({rule(to("198.18.2.0/24"), drop())}) == Fate::dropped);
    CHECK(fate({rule(to("198.18.3.0/24"), drop())}) == Fate::passes);
    CHECK(fate({rule({}, accept()), rule({}, drop())}) == Fate::passes);
    const Table named = table({forward({rule({}, drop(), 42)})});
    CHECK(follow(named, named.chains.front(), packet()).rule == 42u);
}

TEST_CASE("what is not understood makes the answer uncertain, not wrong") {
    const std::vector<Expression> unknown{Unknown{"limit"}};
    CHECK(fate({rule(unknown, drop())}) == Fate::may_be_dropped);
    CHECK(fate({rule(unknown, accept())}, true) == Fate::may_be_dropped);
    CHECK(fate({rule(unknown, accept()), rule({}, drop())}) == Fate::dropped);
    // The port is not known.
    const std::vector<Expression> port{Load{Source::transport_header, 2, 2, 0}, Compare{0, Relation::eq, {0, 80}}};
    CHECK(fate({rule(port, drop())}) == Fate::may_be_dropped);
}

TEST_CASE("states: established is not new") {
    const auto state = [](std::uint32_t bits) {
        return std::vector<Expression>{Load{Source::ct_state, 0, 4, 0}, Bitwise{0, 0, native(bits), native(0)},
                                       Compare{0, Relation::ne, native(0)}};
    };
    constexpr std::uint32_t established_related = 6;
    constexpr std::uint32_t fresh = 8;
    CHECK(fate({rule(state(established_related), accept())}, true) == Fate::dropped);
    CHECK(fate({rule(state(fresh), accept())}, true) == Fate::passes);
}

TEST_CASE("jump, goto and return") {
    const auto with = [](VerdictKind kind, std::vector<Rule> target, bool drops = false) {
        return fate_in(table({forward({rule({}, Verdict{kind, "sub"}), rule({}, drop())}, drops),
                              {.name = "sub", .rules = std::move(target)}}));
    };
    CHECK(with(VerdictKind::jump, {}) == Fate::dropped);
    CHECK(with(VerdictKind::jump, {rule({}, accept())}) == Fate::passes);
    CHECK(with(VerdictKind::jump, {rule({}, Verdict{VerdictKind::return_}), rule({}, accept())}) == Fate::dropped);
    CHECK(with(VerdictKind::go, {}) == Fate::passes);
    CHECK(with(VerdictKind::go, {}, true) == Fate::dropped);
    // A circle, which the kernel refuses, ends nevertheless.
    CHECK(with(VerdictKind::jump, {rule({}, Verdict{VerdictKind::jump, "sub"})}) == Fate::dropped);
}

TEST_CASE("sets, intervals and verdict maps") {
    const auto with = [](Set set, Lookup lookup, std::optional<Verdict> last) {
        Rule made{.expressions = {Load{Source::network_header, 16, 4, 0}, std::move(lookup)}, .handle = 1};
        if (last) made.expressions.push_back(*last);
        Table all = table({forward({made})});
        all.sets = {std::move(set)};
        return fate_in(all);
    };
    const Octets far{198, 18, 2, 9};
    const Set one{.name = "s", .elements = {{.key = far}}};
    CHECK(with(one, {.set = "s"}, drop()) == Fate::dropped);
    CHECK(with(one, {.set = "s", .inverted = true}, drop()) == Fate::passes);
    const Set range{.name = "s", .interval = true, .elements = {{.key = {198, 0, 0, 0}, .end = {199, 0, 0, 0}}}};
    CHECK(with(range, {.set = "s"}, drop()) == Fate::dropped);
    const Set below{.name = "s", .interval = true, .elements = {{.key = {198, 0, 0, 0}, .end = far}}};
    CHECK(with(below, {.set = "s"}, drop()) == Fate::passes);
    const Set map{.name = "s", .elements = {{.key = far, .verdict = drop()}}};
    CHECK(with(map, {.set = "s", .verdict = true}, {}) == Fate::dropped);
    const Set unread{.name = "s", .known = false};
    CHECK(with(unread, {.set = "s"}, drop()) == Fate::may_be_dropped);
}

TEST_CASE("marks") {
    const auto sets = [](std::uint32_t keep, std::uint32_t value) {
        return changes_mark({.expressions = {Load{Source::mark, 0, 4, 0}, Bitwise{0, 0, native(keep), native(value)},
                                             SetMark{false, 0}}},
                            0xf00);
    };
    CHECK(!sets(0xff00ffff, 0x00040000));
    CHECK(sets(0, 0x1));
    CHECK(sets(0xffffffff, 0x200));
    CHECK(changes_mark({.expressions = {Immediate{0, native(0x100)}, SetMark{true, 0}}}, 0xf00));
    CHECK(!changes_mark({.expressions = {Load{Source::ct_mark, 0, 4, 0}, SetMark{false, 0}}}, 0xf00));
}

TEST_CASE("a firewall that drops is named with what lets the flows pass") {
    const Site site = sample_site();
    auto seen = sample_examination(site);
    seen.tables = std::vector<Table>{table({forward({}, true)})};
    CHECK(command_of(findings_of("firewall", site, seen), Grade::error, "chain fwd of table inet fw drops") ==
          "nft 'insert rule inet fw fwd iifname lan0 oifname ov0 accept; "
          "insert rule inet fw fwd iifname ov0 oifname lan0 accept'");

    Table iptables = table({forward({}, true)});
    iptables.family = TableFamily::ip;
    iptables.name = "filter";
    iptables.chains.front().name = "FORWARD";
    seen.tables = std::vector<Table>{iptables};
    CHECK(command_of(findings_of("firewall", site, seen), Grade::error, "FORWARD") ==
          "iptables -t filter -I FORWARD -i lan0 -o ov0 -j ACCEPT && "
          "iptables -t filter -I FORWARD -i ov0 -o lan0 -j ACCEPT");
    // It does not see IPv4.
    seen.tables->front().family = TableFamily::ip6;
    CHECK(findings_of("firewall", site, seen).front().grade == Grade::ok);

    seen.tables = std::vector<Table>{table({forward({rule({Unknown{"limit"}}, drop())})})};
    command_of(findings_of("firewall", site, seen), Grade::note, "may drop");
}

TEST_CASE("a firewall between the tunnel and its flows") {
    const Site site = sample_proxy_site();
    auto seen = sample_examination(site);
    Chain input = forward({rule(iifname("lo"), accept())}, true);
    input.hook->point = nft::HookPoint::input;
    seen.tables = std::vector<Table>{table({input})};
    CHECK(command_of(findings_of("firewall", site, seen), Grade::error, "by the tunnel") ==
          "nft 'insert rule inet fw fwd iifname lan0 meta mark & 0x00000f00 == 0x00000100 accept'");
    Chain output = forward({rule(to("127.0.0.1/32"), drop())});
    output.hook->point = nft::HookPoint::output;
    seen.tables = std::vector<Table>{table({output})};
    CHECK(command_of(findings_of("firewall", site, seen), Grade::error, "to the proxy 127.0.0.1:1080") ==
          "nft 'insert rule inet fw fwd ip daddr 127.0.0.1 tcp dport 1080 accept'");
}

TEST_CASE("NAT of others counts where it comes before ours") {
    const Site site = sample_site();
    auto seen = sample_examination(site);
    const auto nat = [&](nft::HookPoint point, int priority) {
        Chain chain = forward({rule({}, Translate{})});
        chain.hook = nft::Hook{nft::ChainType::nat, point, priority};
        seen.tables = std::vector<Table>{table({chain})};
        return findings_of("foreign-nat", site, seen).front().grade;
    };
    CHECK(nat(nft::HookPoint::postrouting, 90) == Grade::error);
    CHECK(nat(nft::HookPoint::prerouting, -100) == Grade::error);
    // What comes in keeps the peer's address as its source; who hides it spoils no more than that.
    CHECK(nat(nft::HookPoint::postrouting, 100) == Grade::warning);
    Chain wan = forward({rule({Load{Source::oifname, 0, 16, 0}, Compare{0, Relation::eq, name("wan0")}}, Translate{})});
    wan.hook = nft::Hook{nft::ChainType::nat, nft::HookPoint::postrouting, 100};
    seen.tables = std::vector<Table>{table({wan})};
    CHECK(findings_of("foreign-nat", site, seen).front().grade == Grade::ok);
}
