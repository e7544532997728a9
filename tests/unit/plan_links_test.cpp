// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>

#include <doctest/doctest.h>

#include "nftctl/kernel/apply.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/diff.h"
#include "nftctl/plan/render.h"
#include "nftctl/plan/trace_ways.h"
#include "nftctl/plan/verdict_data.h"
#include "tests/support/fake_kernel.h"

using namespace natctl;
using natctl::test::FakeKernel;

namespace {

Address at(const std::string& text) { return *Address::parse(text); }

Peer peer(const std::string& name, const std::string& virt, const std::vector<std::string>& interfaces) {
    Peer result{.name = name, .virtual_prefixes = {*Prefix::parse(virt)}, .links = {}};
    for (const auto& interface : interfaces) result.links.push_back(DevLink{.dev = interface});
    return result;
}

Site site_with(std::vector<Peer> peers) {
    Site site;
    site.name = "a";
    site.lan = {"lan0"};
    site.maps = {{*Prefix::parse("240.1.1.0/24"), *Prefix::parse("192.168.1.0/24"), {}, {}}};
    site.peers = std::move(peers);
    return site;
}

Facts with_up(const std::vector<std::string>& interfaces) {
    Facts facts;
    facts.interfaces = {{"lan0", 2, true, {{at("192.168.1.1"), 24}}}};
    for (const auto& name : interfaces)
        facts.interfaces.push_back({name, static_cast<std::uint32_t>(facts.interfaces.size() + 2), true, {}});
    return facts;
}

/// Of the chains that maps lead to.
std::vector<std::string> way_chains(const nft::Table& table) {
    std::vector<std::string> names;
    for (const auto& chain : table.chains)
        if (chain.name.find('/') != std::string::npos) names.push_back(chain.name);
    return names;
}

std::string elements(const nft::Table& table, const std::string& map) {
    std::string text;
    for (const auto& element : table.find_set(map)->elements)
        text += (text.empty() ? "" : ", ") + render(table.find_set(map)->spec, element);
    return text;
}

} // namespace

TEST_CASE("a verdict as data comes back") {
    for (const auto& verdict : {nft::Verdict{nft::VerdictKind::drop}, {nft::VerdictKind::jump, "in/ov0"}})
        CHECK(nft::verdict_of(std::span<const std::uint8_t>(nft::verdict_data(verdict))) == verdict);
    const std::array<std::uint8_t, 1> none{200};
    CHECK(!nft::verdict_of(std::span<const std::uint8_t>(none)));
    CHECK(!nft::verdict_of(std::span<const std::uint8_t>()));
}

TEST_CASE("peers with the same links share their chains") {
    const auto site = site_with({peer("b", "240.2.2.0/24", {"ov0"}), peer("c", "240.2.3.0/24", {"ov0"}),
                                 peer("d", "240.2.4.0/24", {"wg0", "ov0"}), peer("e", "240.2.5.0/24", {})});
    const auto table = *compile(site, with_up({"ov0", "wg0"})).table;
    CHECK(way_chains(table) == std::vector<std::string>{"in/ov0", "in/ov0/wg0", "out/ov0", "out/wg0/ov0"});
    CHECK(elements(table, "from4") == "240.1.1.0/24 : goto forged, 240.2.2.0/23 : jump in/ov0, "
                                      "240.2.4.0/24 : jump in/ov0/wg0, 240.2.5.0/24 : goto forged");
    CHECK(elements(table, "to4") == "240.1.1.0/24 : goto unmapped4, 240.2.2.0/23 : jump out/ov0, "
                                    "240.2.4.0/24 : jump out/wg0/ov0, 240.2.5.0/24 : goto no_link");
    CHECK(way_to(table, at("240.2.4.9")) == "wg0");
    CHECK(way_from(table, at("240.2.4.9")) == "ov0");
    for (const auto* nobodys : {"240.1.1.9", "240.2.5.9", "198.51.100.1", "fd00::1"}) {
        CHECK(!way_to(table, at(nobodys)));
        CHECK(!way_from(table, at(nobodys)));
    }
}

TEST_CASE("new flows take the link that is up, open ones wait for the others") {
    const auto site = site_with({peer("b", "240.2.2.0/24", {"wg0", "ov0"})});
    CHECK(elements(*compile(site, with_up({"ov0"})).table, "to4").ends_with("jump out/ov0/wg0"));
    const auto none = *compile(site, with_up({})).table;
    CHECK(elements(none, "to4").ends_with("jump away/ov0/wg0"));
    CHECK(!way_to(none, at("240.2.2.9")));
    CHECK(way_from(none, at("240.2.2.9")) == "ov0");
    std::string rules;
    for (const auto& rule : none.find_chain("away/ov0/wg0")->rules) rules += render(rule) + "\n";
    CHECK(rules == "ct mark & 0x00000f00 == 0x00000400 oifname \"ov0\" return\n"
                   "ct mark & 0x00000f00 == 0x00000400 oifname \"wg0\" return\n"
                   "ct mark & 0x00000f00 == 0x00000400 counter drop\n"
                   "goto no_link\n");
}

TEST_CASE("open flows of one IP version go by the next link where the kernel takes no route by the first") {
    auto both = peer("b", "240.2.2.0/24", {"ov0", "wg0"});
    both.virtual_prefixes.push_back(*Prefix::parse("fd01:2::/64"));
    const Site site = site_with({both});
    Facts facts = with_up({"ov0", "wg0"});
    facts.out_of_use = {{"b", 0}, {"b", 1}};
    const auto ways = [&] {
        std::string text;
        for (const auto& route : compile(site, facts).routes)
            if (route.dev == "ov0" || route.dev == "wg0") text += route.destination.text() + " " + route.dev + "\n";
        return text;
    };
    CHECK(ways() == "240.2.2.0/24 ov0\nfd01:2::/64 ov0\n");
    facts.unroutable = {{{"b", 0}, Family::ipv6}};
    CHECK(ways() == "240.2.2.0/24 ov0\nfd01:2::/64 wg0\n");
    facts.unroutable.insert({{"b", 1}, Family::ipv6});
    CHECK(ways() == "240.2.2.0/24 ov0\n");
}

TEST_CASE("a name that nft does not take, or that is too long, goes under its fingerprint") {
    std::vector<std::string> many;
    for (int i = 10; i < 40; ++i) many.push_back("interface-" + std::to_string(i));
    const auto site = site_with({peer("b", "240.2.2.0/24", {"odd#1"}), peer("c", "240.2.3.0/24", many)});
    const auto table = *compile(site, with_up({"odd#1"})).table;
    const auto names = way_chains(table);
    CHECK(names.size() == 4);
    for (const auto& name : names) {
        CHECK(name.size() == name.find('/') + 33);
        CHECK(name.find_first_not_of("0123456789abcdef", name.find('/') + 1) == std::string::npos);
    }
    CHECK(way_to(table, at("240.2.2.9")) == "odd#1");
}

TEST_CASE("chains come and go with links, and the table stays") {
    FakeKernel kernel;
    const auto before = site_with({peer("b", "240.2.2.0/24", {"ov0"}), peer("c", "240.2.3.0/24", {"wg0", "ov0"})});
    const auto after = site_with({peer("b", "240.2.2.0/24", {"ov1"}), peer("d", "240.2.4.0/24", {"wg0"})});
    kernel.facts = with_up({"ov0", "ov1", "wg0"});
    apply(kernel, before);
    for (const auto& site : {after, before}) {
        const auto change = apply(kernel, site);
        CHECK(!change.empty());
        CHECK(!change.makes_table_anew());
        CHECK(kernel.plan() == compile(site, kernel.facts));
    }
    CHECK(kernel.commits == 3);
}

TEST_CASE("a chain that somebody wrote into the table goes, a base chain makes it anew") {
    const auto wanted = compile(site_with({peer("b", "240.2.2.0/24", {"ov0"})}), with_up({"ov0"}));
    auto actual = wanted;
    actual.table->chains.edit().push_back({"theirs", {}, {{{nft::Counter{}}}}});
    auto change = diff(actual, wanted);
    CHECK(!change.makes_table_anew());
    CHECK(render(change) == "flush chain inet natctl theirs\ndelete chain inet natctl theirs\n");
    actual.table->chains.edit().back().hook = {nft::ChainType::filter, nft::HookPoint::input, 0};
    CHECK(diff(actual, wanted).makes_table_anew());
    CHECK(diff(wanted, actual).makes_table_anew());
}
