// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/white_list.h"

#include <algorithm>
#include <random>

#include <doctest/doctest.h>

#include "nftctl/plan/compile.h"
#include "nftctl/plan/ranges.h"

using namespace natctl;

namespace {

Prefix prefix(const char* text) { return *Prefix::parse(text); }
Address at(const char* text) { return *Address::parse(text); }

Site site_of(WhiteList list) {
    Site site;
    site.name = "a";
    site.lan = {"lan0"};
    site.maps = {{prefix("240.1.1.0/24"), prefix("192.168.1.0/24"), {}, {}}};
    site.embedding_maps = {{prefix("fd00:a::/96"), {prefix("192.168.1.0/24")}, {}}};
    site.peers.push_back({.name = "b",
                          .virtual_prefixes = {prefix("240.2.2.0/24"), prefix("10.77.0.0/16"), prefix("fd00:b::/96")},
                          .links = {DevLink{.dev = "wg0"}},
                          .at = {}});
    site.white_list = std::move(list);
    return site;
}

bool holds(const std::vector<AddressRange>& ranges, const char* text) {
    return std::ranges::any_of(ranges, [&](const AddressRange& range) { return range.contains(at(text)); });
}

} // namespace

TEST_CASE("the white list is made of prefixes, endpoints and addresses of interfaces, merged") {
    const auto site = site_of({.prefixes = {prefix("198.51.100.0/25"), prefix("198.51.100.128/25"),
                                            prefix("198.51.100.7"), prefix("2001:db8::/32")},
                               .endpoints = {"proxy.example.net", "gone.example.net", "203.0.113.9"},
                               .interfaces = {"ppp0", "ppp1"}});
    const Facts facts{
        .interfaces = {{.name = "ppp0", .addresses = {{at("203.0.113.8"), 32}, {at("2001:db8:1::8"), 64}}},
                       {.name = "lan0", .addresses = {{at("192.168.1.1"), 24}}}},
        .endpoints = {{"proxy.example.net", {at("203.0.113.200"), at("2001:db9::1")}},
                      {"other.example.net", {at("8.8.8.8")}}}};
    const auto four = white_ranges(site, MapParts(site), facts, Family::ipv4);
    REQUIRE(four.size() == 3);
    CHECK(as_prefix(four[0]) == prefix("198.51.100.0/24"));
    CHECK(four[1] == AddressRange{at("203.0.113.8"), at("203.0.113.9")});
    CHECK(as_prefix(four[2]) == prefix("203.0.113.200"));
    const auto six = white_ranges(site, MapParts(site), facts, Family::ipv6);
    REQUIRE(six.size() == 2);
    CHECK(as_prefix(six[0]) == prefix("2001:db8::/32"));
    CHECK(as_prefix(six[1]) == prefix("2001:db9::1"));
}

TEST_CASE("private networks, without what is virtual here or at a peer") {
    const auto site = site_of({.private_networks = true});
    const auto four = white_ranges(site, MapParts(site), {}, Family::ipv4);
    for (const char* white : {"10.0.0.1", "10.76.255.255", "10.78.0.0", "172.16.0.1", "192.168.1.1", "127.0.0.1",
                              "100.64.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "192.0.0.1"})
        CHECK_MESSAGE(holds(four, white), white);
    for (const char* other : {"10.77.0.0", "10.77.255.255", "240.1.1.1", "240.2.2.1", "8.8.8.8", "198.51.100.1"})
        CHECK_MESSAGE(!holds(four, other), other);
    const auto six = white_ranges(site, MapParts(site), {}, Family::ipv6);
    for (const char* white : {"::1", "fe80::1", "ff02::1", "fd00:c::1", "fc00::1"})
        CHECK_MESSAGE(holds(six, white), white);
    for (const char* other : {"fd00:a::1", "fd00:b::ffff:ffff", "2001:db8::1"})
        CHECK_MESSAGE(!holds(six, other), other);
}

TEST_CASE("each entry knows where it comes from") {
    const auto site =
        site_of({.prefixes = {prefix("10.76.0.0/15")}, .endpoints = {"a.example"}, .interfaces = {"ppp0"}});
    const Facts facts{.interfaces = {{.name = "ppp0", .addresses = {{at("203.0.113.8"), 32}}}},
                      .endpoints = {{"a.example", {at("203.0.113.9")}}}};
    const auto entries = white_entries(site, MapParts(site), facts, Family::ipv4);
    REQUIRE(entries.size() == 3);
    CHECK(as_prefix(entries[0].range) == prefix("10.76.0.0/16"));
    CHECK(entries[0].source == WhiteSource::prefix);
    CHECK(entries[1].source == WhiteSource::endpoint);
    CHECK(entries[1].name == "a.example");
    CHECK(entries[2].source == WhiteSource::interface);
    CHECK(entries[2].name == "ppp0");
}

TEST_CASE("an endpoint that resolves to a virtual address does not hide it") {
    const auto site = site_of({.endpoints = {"odd.example.net"}});
    CHECK(white_ranges(site, MapParts(site), {.endpoints = {{"odd.example.net", {at("240.2.2.9"), at("8.8.8.8")}}}},
                       Family::ipv4) == std::vector<AddressRange>{{at("8.8.8.8"), at("8.8.8.8")}});
    CHECK(white_ranges(site_of({}), MapParts(site_of({})), {}, Family::ipv4).empty());
}

TEST_CASE("random lists: exactly what was named and is not virtual") {
    std::mt19937 random(20240503);
    const auto some = [&] { return Address::v4(static_cast<std::uint32_t>(0x0a000000 + random() % 512)); };
    for (int round = 0; round < 300; ++round) {
        Site site;
        for (auto count = random() % 5; count > 0; --count)
            site.white_list.prefixes.emplace_back(some(), 24 + static_cast<unsigned>(random() % 9));
        for (auto count = random() % 4; count > 0; --count)
            site.maps.push_back({Prefix(some(), 26 + static_cast<unsigned>(random() % 7)), {}, {}, {}});
        const auto ranges = white_ranges(site, MapParts(site), {}, Family::ipv4);
        CHECK(merged(ranges) == ranges);
        CHECK(std::ranges::is_sorted(ranges));
        for (std::uint32_t i = 0; i < 512; ++i) {
            const auto address = Address::v4(0x0a000000 + i);
            const bool named =
                std::ranges::any_of(site.white_list.prefixes, [&](const Prefix& p) { return p.contains(address); });
            const bool is_virtual =
                std::ranges::any_of(site.maps, [&](const Map& m) { return m.virtual_prefix.contains(address); });
            const bool found =
                std::ranges::any_of(ranges, [&](const AddressRange& range) { return range.contains(address); });
            if (found != (named && !is_virtual)) CHECK(found == (named && !is_virtual));
        }
    }
}

TEST_CASE("what was added at run time stands in sets of its own, merged by lifetime, without virtual addresses") {
    using std::chrono::milliseconds;
    const auto site = site_of({.prefixes = {prefix("203.0.113.0/24")}});
    const Facts facts{.white_now = {{prefix("203.0.113.7"), milliseconds(5000), {}},
                                    {prefix("198.51.100.0/24"), milliseconds(5000), {}},
                                    {prefix("198.51.100.0/25"), {}, "a.example"},
                                    {prefix("240.0.0.0/6"), {}, {}},
                                    {prefix("2001:db8::/32"), {}, {}}}};
    const auto table = *compile(site, facts).table;
    CHECK(table.find_set("white4")->elements == compile(site, {}).table->find_set("white4")->elements);

    const auto* now = table.find_set("white_now4");
    REQUIRE(now != nullptr);
    CHECK(now->spec.interval);
    CHECK(now->spec.timeout);
    const auto element = [](const char* first, const char* last) { return nft::Element{at(first), at(last)}; };
    CHECK(now->elements == std::vector{element("198.51.100.0", "198.51.100.127"),
                                       element("198.51.100.128", "198.51.100.255"),
                                       element("203.0.113.7", "203.0.113.7"), element("240.0.0.0", "240.1.0.255"),
                                       element("240.1.2.0", "240.2.1.255"), element("240.2.3.0", "243.255.255.255")});
    CHECK(now->lifetimes ==
          nft::Lifetimes{{at("198.51.100.128"), milliseconds(5000)}, {at("203.0.113.7"), milliseconds(5000)}});
    CHECK(table.find_set("white_now6")->elements ==
          std::vector{element("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff")});
    for (const char* name : {"white_now4", "white_now6"})
        CHECK(compile(site, {}).table->find_set(name)->elements.empty());

    const auto entries = white_entries(site, MapParts(site), facts, Family::ipv4);
    REQUIRE(entries.size() == 7);
    CHECK(entries[0].source == WhiteSource::prefix);
    CHECK(entries[1].source == WhiteSource::run_time);
    CHECK(entries[1].lifetime == milliseconds(5000));
    CHECK(entries[3].name == "a.example");

    const auto all = all_white_ranges(site, MapParts(site), facts, Family::ipv4);
    REQUIRE(all.size() == 6);
    CHECK(all[2] == TimedRange{prefix("203.0.113.0/24").range(), {}});
}

TEST_CASE("whoever looks at the white list looks at what was added at run time") {
    auto site = site_of({});
    site.intercept.emplace().local = true;
    for (const auto by : {InterceptBy::tproxy, InterceptBy::redirect}) {
        site.intercept->by = by;
        const auto table = *compile(site, {}).table;
        unsigned chains = 0;
        for (const auto& chain : table.chains) {
            std::vector<std::string> sets;
            for (const auto& rule : chain.rules)
                for (const auto& statement : rule.statements)
                    if (const auto* lookup = std::get_if<nft::Lookup>(&statement);
                        lookup && lookup->set.starts_with("white"))
                        sets.push_back(lookup->set);
            std::ranges::sort(sets);
            if (sets.empty()) continue;
            CAPTURE(chain.name);
            CHECK(sets == std::vector<std::string>{"white4", "white6", "white_now4", "white_now6"});
            ++chains;
        }
        CHECK(chains == 4);
    }
}
