// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "nftctl/plan/whose.h"

using namespace natctl;

namespace {

Address at(const char* text) { return *Address::parse(text); }

Site site_a() {
    Site site;
    site.name = "a";
    const auto add = [&](const char* virt, const char* real, const char* name) {
        site.maps.push_back({*Prefix::parse(virt), *Prefix::parse(real), name, {}});
    };
    add("240.1.1.0/24", "192.168.1.0/24", "");
    add("240.1.10.0/24", "10.10.10.0/24", "");
    add("240.1.1.200", "10.10.10.7", "printer");
    site.embedding_maps = {{.virtual_prefix = *Prefix::parse("64:ff9b:1111::/96"),
                            .real_prefixes = {*Prefix::parse("192.168.1.0/24"), *Prefix::parse("172.20.0.0/16")}}};
    site.peers = {{.name = "b",
                   .virtual_prefixes = {*Prefix::parse("240.2.2.0/24"), *Prefix::parse("64:ff9b:2222::/96")},
                   .links = {}}};
    return site;
}

std::vector<std::string> texts(const Site& site, const std::vector<Address>& addresses) {
    std::vector<std::string> result;
    for (const auto& address : addresses) result.push_back(address_text(site, address));
    return result;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("a virtual address leads to its host, and the host to all its virtual addresses") {
    const auto site = site_a();
    auto found = whose(site, at("240.1.1.20"));
    CHECK(found.kind == Whose::Kind::own_virtual);
    CHECK(found.real == at("192.168.1.20"));
    CHECK(texts(site, found.virtuals) == Texts{"240.1.1.20", "64:ff9b:1111::192.168.1.20"});

    found = whose(site, at("10.10.10.7"));
    CHECK(found.kind == Whose::Kind::own_real);
    CHECK(found.name == "printer");
    CHECK(texts(site, found.virtuals) == Texts{"240.1.1.200", "240.1.10.7"});
    CHECK(!found.seen_as_router);
    CHECK(whose(site, at("240.1.10.7")).name == "printer");
}

TEST_CASE("a host whose virtual address another one has taken is seen as the router") {
    const auto site = site_a();
    const auto found = whose(site, at("192.168.1.200"));
    CHECK(found.kind == Whose::Kind::own_real);
    CHECK(found.seen_as_router);
    CHECK(texts(site, found.virtuals) == Texts{"64:ff9b:1111::192.168.1.200"});
}

TEST_CASE("the last 32 bits of a /96 are the real address, as far as the map allows") {
    const auto site = site_a();
    auto found = whose(site, at("64:ff9b:1111::192.168.1.20"));
    CHECK(found.kind == Whose::Kind::own_virtual);
    CHECK(found.real == at("192.168.1.20"));
    CHECK(found.virtuals.front() == at("240.1.1.20"));
    CHECK(whose(site, at("64:ff9b:1111::172.20.3.4")).real == at("172.20.3.4"));
    CHECK(whose(site, at("172.20.3.4")).kind == Whose::Kind::own_real);
    CHECK(!whose(site, at("64:ff9b:1111::8.8.8.8")).real);

    found = whose(site, at("64:ff9b:2222::192.168.1.20"));
    CHECK(found.kind == Whose::Kind::peers);
    REQUIRE(found.peer);
    CHECK(found.peer->name == "b");
    CHECK(found.embedded == at("192.168.1.20"));
}

TEST_CASE("peers' addresses and nobody's") {
    const auto site = site_a();
    CHECK(whose(site, at("240.2.2.20")).kind == Whose::Kind::peers);
    CHECK(!whose(site, at("240.2.2.20")).embedded);
    CHECK(whose(site, at("240.3.3.20")).kind == Whose::Kind::nobodys);
    CHECK(whose(site, at("8.8.8.8")).kind == Whose::Kind::nobodys);
}

TEST_CASE("only the site's own names are known") {
    const auto site = site_a();
    REQUIRE(find_name(site, "printer"));
    CHECK(find_name(site, "printer.a") == find_name(site, "printer"));
    CHECK(!find_name(site, "printer.b"));
    CHECK(!find_name(site, ""));
}

TEST_CASE("addresses of a /96 are written with the IPv4 address in them") {
    auto site = site_a();
    CHECK(address_text(site, at("64:ff9b:2222::a0a:a05")) == "64:ff9b:2222::10.10.10.5");
    CHECK(address_text(site, at("240.2.2.20")) == "240.2.2.20");
    site.peers[0].virtual_prefixes = {*Prefix::parse("fd00::1:2:0:0/96")};
    const auto text = address_text(site, at("fd00::1:2:a0a:a05"));
    CHECK(text == "fd00:0:0:0:1:2:10.10.10.5");
    CHECK(Address::parse(text) == at("fd00::1:2:a0a:a05"));
}
