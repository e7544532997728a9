// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <random>

#include <doctest/doctest.h>

#include "nftctl/plan/addressing.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/white_list.h"

using namespace natctl;

namespace {

Address at(const std::string& text) { return *Address::parse(text); }
Prefix prefix(const std::string& text) { return *Prefix::parse(text); }

Map map(const std::string& virt, const std::string& real) { return {prefix(virt), prefix(real), {}, {}}; }

/// Two LANs, a printer out of one of them under a name of the other, IPv6, a proxy and a white list.
Site site() {
    Site site;
    site.name = "a";
    site.lan = {"lan0", "lan1"};
    site.maps = {map("240.1.1.0/24", "192.168.1.0/24"), map("240.1.10.0/24", "10.10.10.0/24"),
                 map("240.1.1.200", "10.10.10.7"), map("fd00:1::/64", "fd00:a::/64")};
    site.peers = {{.name = "b", .virtual_prefixes = {prefix("240.2.2.0/24")}, .links = {DevLink{.dev = "wg0"}}}};
    site.white_list.interfaces = {"wan0"};
    site.white_list.private_networks = true;
    site.white_list.endpoints = {"proxy.test"};
    site.intercept.emplace().except_users = {"xray"};
    return site;
}

Facts facts(const std::vector<InterfaceAddress>& wan, const Address& router, bool link_up) {
    Facts facts;
    facts.interfaces = {{"lan0", 2, true, {{router, 24}, {at("fd00:a::1"), 64}}},
                        {"lan1", 3, true, {{at("10.10.10.7"), 24}}},
                        {"wan0", 4, true, wan},
                        {"wg0", 5, link_up, {}}};
    return facts;
}

} // namespace

TEST_CASE("a compiler makes of each of many facts what compile() makes of them alone") {
    const auto one = site();
    const Compiler compiler(one);
    std::mt19937 random(11);
    for (int round = 0; round < 100; ++round) {
        std::vector<InterfaceAddress> wan;
        for (auto count = random() % 3; count > 0; --count)
            wan.push_back({Address::v4(0xc6336400 + static_cast<std::uint32_t>(random() % 4)), 24});
        const auto router = random() % 2 ? at("192.168.1.1") : at("172.16.0.1");
        auto now = facts(wan, router, random() % 2);
        if (random() % 2) now.users["xray"] = static_cast<std::uint32_t>(random() % 2);
        if (random() % 2) now.endpoints["proxy.test"] = {at("203.0.113.9")};
        if (random() % 2) now.white_now = {{.prefix = prefix("203.0.113.64/26")}};
        if (random() % 4 == 0) now.out_of_use = {{"b", 0}};
        CHECK(compiler.compile(now) == compile(one, now));
    }
}

TEST_CASE("what the maps alone decide is the same thing in every plan of a compiler") {
    const auto one = site();
    const Compiler compiler(one);
    const auto before = compiler.compile(facts({}, at("192.168.1.1"), true));
    const auto after = compiler.compile(facts({{at("198.51.100.1"), 24}}, at("192.168.1.2"), false));
    for (const auto* name : {"own4", "dnat4", "dnat4h", "snat4", "snat4h", "dnat6", "snat6"})
        CHECK_MESSAGE(after.table->find_set(name)->elements.shares(before.table->find_set(name)->elements), name);
    CHECK(before.table->find_set("white4")->elements != after.table->find_set("white4")->elements);
}

TEST_CASE("rules are made again for facts alone that they depend on") {
    const auto one = site();
    const Compiler compiler(one);
    const auto chains = [&](const Facts& now) { return compiler.compile(now).table->chains; };
    const auto now = facts({}, at("192.168.1.1"), true);
    const auto before = chains(now);
    CHECK(chains(facts({{at("198.51.100.1"), 24}}, at("192.168.1.1"), true)).shares(before));
    auto other = now;
    other.users["xray"] = 1000;
    CHECK(chains(other) != before);
    CHECK(chains(now) == before);
    CHECK(chains(facts({}, at("192.168.1.2"), true)) != before);
}

TEST_CASE("names by the parts of the maps are those by the maps") {
    const auto one = site();
    const MapParts maps(one);
    for (const auto* text : {"192.168.1.1", "192.168.1.200", "10.10.10.7", "10.10.10.8", "172.16.0.1", "fd00:a::9",
                             "fd00:b::9", "192.168.2.1"}) {
        CHECK_MESSAGE(maps.name_of(at(text)) == virtual_of(one.maps, at(text)), text);
        // Asked again, it says the same.
        for (int i = 0; i < 2; ++i)
            CHECK(maps.is_mapped(at(text)) ==
                  std::ranges::any_of(one.maps, [&](const Map& m) { return m.real_prefix.contains(at(text)); }));
    }
}
