// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "tunnel/address_set.h"
#include "tunnel/directory.h"
#include "tunnel/route_table.h"

using namespace natctl;

namespace {

Address address(const char* text) { return *Address::parse(text); }

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
    std::vector<Prefix> result;
    for (const char* text : texts) result.push_back(*Prefix::parse(text));
    return result;
}

Peer peer(const char* name, std::initializer_list<const char*> virtual_prefixes) {
    return {.name = name, .virtual_prefixes = prefixes(virtual_prefixes), .links = {}, .at = {}};
}

} // namespace

TEST_CASE("a set of addresses knows its ends") {
    const AddressSet set(prefixes({"240.2.2.0/24", "10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/30", "fd00::/64", "::1"}));
    for (const char* inside : {"240.2.2.0", "240.2.2.255", "10.0.0.0", "10.0.0.4", "10.1.2.3", "10.255.255.255",
                               "fd00::", "fd00::ffff:ffff:ffff:ffff", "::1"})
        CHECK_MESSAGE(set.contains(address(inside)), inside);
    for (const char* outside : {"240.2.1.255", "240.2.3.0", "9.255.255.255", "11.0.0.0",
                                "fcff::", "fd00:0:0:1::", "::", "::2", "0.0.0.0", "255.255.255.255"})
        CHECK_MESSAGE(!set.contains(address(outside)), outside);
}

TEST_CASE("an empty set holds nothing, a full one everything of its family") {
    CHECK(!AddressSet().contains(address("0.0.0.0")));
    CHECK(AddressSet().empty());
    const AddressSet all(prefixes({"0.0.0.0/0"}));
    CHECK(all.contains(address("0.0.0.0")));
    CHECK(all.contains(address("255.255.255.255")));
    CHECK(!all.contains(address("::")));
}

TEST_CASE("the longest prefix decides the peer") {
    const std::vector<Peer> peers{peer("b", {"240.2.0.0/16", "fd02::/64"}), peer("c", {"240.2.2.0/24"}),
                                  peer("d", {"240.2.2.20/32", "fd02::20/128"})};
    const RouteTable routes(peers);
    CHECK(routes.find(address("240.2.3.1")) == 0);
    CHECK(routes.find(address("240.2.2.1")) == 1);
    CHECK(routes.find(address("240.2.2.20")) == 2);
    CHECK(routes.find(address("fd02::1")) == 0);
    CHECK(routes.find(address("fd02::20")) == 2);
    CHECK(!routes.find(address("240.3.0.0")));
    CHECK(!routes.find(address("fd03::1")));
    CHECK(!RouteTable().find(address("240.2.2.20")));
}

TEST_CASE("hosts are known by name, with the site's name or without") {
    Site site;
    site.name = "Alpha";
    site.maps.push_back({*Prefix::parse("240.1.1.0/24"), *Prefix::parse("192.168.1.0/24"), "", {}});
    site.maps.push_back({*Prefix::parse("240.1.1.200"), *Prefix::parse("10.10.10.7"), "Printer", {}});
    site.peers = {peer("b", {"240.2.2.0/24"}), peer("beta", {"240.3.3.0/24"})};
    const Directory directory(site);
    for (const char* name : {"printer", "PRINTER", "printer.alpha", "Printer.Alpha", "printer.", "printer.alpha."})
        CHECK_MESSAGE(directory.own_host(name) == address("240.1.1.200"), name);
    for (const char* name : {"", ".", "printe", "printer.b", "printer.alpha.b", "alpha", ".alpha", "printer..alpha"})
        CHECK_MESSAGE(!directory.own_host(name), name);

    CHECK(directory.peer_host("web.b") == std::pair<std::string, std::size_t>("web", 0));
    CHECK(directory.peer_host("Web.Lan.BETA.") == std::pair<std::string, std::size_t>("web.lan", 1));
    for (const char* name : {"", "b", ".b", "web.c", "web.", "web.b.c"})
        CHECK_MESSAGE(!directory.peer_host(name), name);
}

TEST_CASE("what the kernel hands over goes to its peer, or by the proxy of [intercept]") {
    Site site;
    site.name = "a";
    site.maps.push_back({*Prefix::parse("240.1.1.0/24"), *Prefix::parse("192.168.1.0/24"), "", {}});
    site.embedding_maps.push_back({*Prefix::parse("64:ff9b:1111::/96"), prefixes({"192.168.1.0/24"}), {}});
    site.peers = {peer("b", {"240.2.2.0/24", "64:ff9b:2222::/96"})};
    CHECK(Directory(site).route_of(address("240.2.2.20")) == 0);
    CHECK(!Directory(site).route_of(address("198.51.100.66")));

    site.intercept.emplace();
    const Directory directory(site);
    CHECK(directory.route_of(address("240.2.2.20")) == 0);
    CHECK(directory.route_of(address("64:ff9b:2222::1")) == 0);
    for (const char* internet : {"198.51.100.66", "1.1.1.1", "2001:db8::1", "64:ff9b::1", "10.0.0.1"})
        CHECK_MESSAGE(directory.route_of(address(internet)) == 1, internet);
    for (const char* never : {"240.1.1.20", "64:ff9b:1111::1", "127.0.0.1", "::1", "0.0.0.0", "169.254.169.254",
                              "fe80::1", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:1.1.1.1"})
        CHECK_MESSAGE(!directory.route_of(address(never)), never);
}
