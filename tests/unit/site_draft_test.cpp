// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/draft.h"

#include <doctest/doctest.h>

#include "nftctl/site/parse.h"

using namespace natctl;

namespace {

Prefix prefix(const char* text) { return *Prefix::parse(text); }

DraftLan lan(const char* interface, const char* real) { return {interface, prefix(real), std::nullopt}; }

/// The draft, written and read again without a finding.
Site round_trip(Draft draft) {
    REQUIRE(propose_virtual_prefixes(draft).ok);
    const auto text = write_draft(draft, "/etc/natctl/site.toml");
    CAPTURE(text);
    const auto result = parse_site(text);
    CAPTURE(render(result.diagnostics, "draft", text));
    CHECK(result.diagnostics.empty());
    REQUIRE(result.site);
    return *result.site;
}

} // namespace

TEST_CASE("a draft is read as what was asked for") {
    Draft draft{.site = "a", .lans = {lan("lan0", "192.168.1.0/24"), lan("lan1", "10.10.10.0/24")}};
    draft.lans[0].virtual_prefix = prefix("198.18.1.0/24");
    for (const char* wish : {"b=198.18.2.0/24,198.18.12.0/24@ov0/172.31.0.2", "c=198.18.3.0/24@wg0",
                             "d=198.18.4.0/24@socks5:198.51.100.4:1080", "e=fd01:5::/64@eth1/fd00::5"})
        draft.peers.push_back(*parse_peer_wish(wish));
    const auto site = round_trip(draft);
    CHECK(site.name == "a");
    CHECK(site.lan == std::vector<std::string>{"lan0", "lan1"});
    REQUIRE(site.maps.size() == 2);
    CHECK(site.maps[0].virtual_prefix == prefix("198.18.1.0/24"));
    CHECK(site.maps[0].real_prefix == prefix("192.168.1.0/24"));
    CHECK(proposal_range().contains(site.maps[1].virtual_prefix));
    REQUIRE(site.peers.size() == 4);
    CHECK(site.peers[0].virtual_prefixes == std::vector{prefix("198.18.2.0/24"), prefix("198.18.12.0/24")});
    CHECK(std::get<DevLink>(site.peers[0].links.at(0)).dev == "ov0");
    CHECK(std::get<DevLink>(site.peers[0].links.at(0)).via4 == Address::parse("172.31.0.2"));
    CHECK(!std::get<DevLink>(site.peers[1].links.at(0)).via4);
    CHECK(std::get<SocksLink>(site.peers[2].links.at(0)).server == *Endpoint::parse("198.51.100.4:1080"));
    CHECK(std::get<DevLink>(site.peers[3].links.at(0)).via6 == Address::parse("fd00::5"));
}

TEST_CASE("without peers the draft shows how to name one, and what is shown is right as well") {
    Draft draft{.site = "a", .lans = {lan("lan0", "192.168.1.0/24")}, .overlays = {"wg7", "tun0"}};
    CHECK(round_trip(draft).peers.empty());
    REQUIRE(propose_virtual_prefixes(draft).ok);
    auto text = write_draft(draft, "site.toml");
    CHECK(text.find(R"(["wg7", "tun0"])") != std::string::npos);
    // Remove the # of the example, but of one link only.
    for (const std::string line : {"[[peer]]", "name ", "virtual ", "link "}) {
        const auto at = text.find("#" + line);
        REQUIRE(at != std::string::npos);
        text.erase(at, 1);
    }
    const auto result = parse_site(text);
    CAPTURE(render(result.diagnostics, "draft", text));
    REQUIRE(result.site);
    REQUIRE(result.site->peers.size() == 1);
    CHECK(std::get<DevLink>(result.site->peers[0].links.at(0)).dev == "wg7");
}

TEST_CASE("proposals are as long as the LAN, follow from the name and keep clear of what is known") {
    Draft draft{.site = "a", .lans = {lan("lan0", "192.168.1.0/24"), lan("lan1", "10.1.0.0/16")}};
    REQUIRE(propose_virtual_prefixes(draft).ok);
    const Prefix first = *draft.lans[0].virtual_prefix;
    CHECK(first.length() == 24);
    CHECK(draft.lans[1].virtual_prefix->length() == 16);
    CHECK(!draft.lans[1].virtual_prefix->overlaps(first));

    Draft again{.site = "a", .lans = {lan("lan0", "192.168.1.0/24")}};
    REQUIRE(propose_virtual_prefixes(again).ok);
    CHECK(again.lans[0].virtual_prefix == first);
    Draft other{.site = "b", .lans = {lan("lan0", "192.168.1.0/24")}};
    REQUIRE(propose_virtual_prefixes(other).ok);
    CHECK(other.lans[0].virtual_prefix != first);

    Draft taken{.site = "a", .lans = {lan("lan0", "192.168.1.0/24")}, .taken = {first}};
    REQUIRE(propose_virtual_prefixes(taken).ok);
    CHECK(!taken.lans[0].virtual_prefix->overlaps(first));
    Draft peers{.site = "a",
                .lans = {lan("lan0", "192.168.1.0/24")},
                .peers = {*parse_peer_wish("b=" + first.text() + "@wg0")}};
    REQUIRE(propose_virtual_prefixes(peers).ok);
    CHECK(!peers.lans[0].virtual_prefix->overlaps(first));
}

TEST_CASE("where there is no room, the network is named") {
    Draft draft{.site = "a", .lans = {lan("lan0", "192.168.1.0/24"), lan("lan1", "10.0.0.0/8")}};
    const auto proposed = propose_virtual_prefixes(draft);
    CHECK(!proposed.ok);
    CHECK(proposed.real == prefix("10.0.0.0/8"));
    Draft full{.site = "a", .lans = {lan("lan0", "192.168.1.0/24")}, .taken = {prefix("198.18.0.0/15")}};
    CHECK(!propose_virtual_prefixes(full).ok);
    Draft ipv6{.site = "a", .lans = {lan("lan0", "fd00::/64")}};
    CHECK(!propose_virtual_prefixes(ipv6).ok);
}

TEST_CASE("what is found as a LAN") {
    const std::vector<FoundInterface> interfaces{
        {.name = "wan0", .networks = {prefix("192.168.178.0/24")}, .is_default = true},
        {.name = "lan0", .networks = {prefix("192.168.1.0/24"), prefix("10.0.0.0/24"), prefix("198.51.100.0/24")}},
        {.name = "wg0", .networks = {prefix("10.99.0.0/24")}, .is_overlay = true},
        {.name = "docker0", .networks = {prefix("172.17.0.0/16")}},
        {.name = "br-0123456789ab", .networks = {prefix("172.18.0.0/16")}},
        {.name = "br0", .networks = {prefix("172.31.255.0/24")}},
        {.name = "p2p", .networks = {prefix("10.5.5.5/32")}},
        {.name = "eth1", .networks = {prefix("10.7.7.0/24")}},
        {.name = "public", .networks = {prefix("172.32.0.0/24")}}};
    const std::vector<Peer> peers{*parse_peer_wish("b=240.2.2.0/24@eth1/10.7.7.2")};
    const auto lans = find_lans(interfaces, peers);
    REQUIRE(lans.size() == 3);
    CHECK(lans[0].real == prefix("192.168.1.0/24"));
    CHECK(lans[1].real == prefix("10.0.0.0/24"));
    CHECK(lans[2].interface == "br0");
    CHECK(find_lans(interfaces, {}).size() == 4);
}

TEST_CASE("wishes that are none") {
    for (const char* text :
         {"", "b", "b=", "=240.2.2.0/24@wg0", "b=240.2.2.0/24", "b=240.2.2.0/24@", "b=@wg0", "b=240.2.2.0/24,@wg0",
          "b=240.2.2.0/33@wg0", "b=240.2.2.0/24@eth1/", "b@wg0=240.2.2.0/24", "b=240.2.2.0/24@eth1/router",
          "b=240.2.2.0/24@socks5:", "b=240.2.2.0/24@socks5:127.0.0.1"}) {
        CAPTURE(text);
        CHECK(!parse_peer_wish(text));
    }
    for (const char* text : {"", "=10.0.0.0/8", "lan0=", "lan0=x"}) {
        CAPTURE(text);
        CHECK(!parse_lan_wish(text));
    }
    CHECK(parse_lan_wish("lan0=10.1.0.0/16")->real == prefix("10.1.0.0/16"));
}

TEST_CASE("no name can leave its quotes") {
    for (const std::string name : {"a\"\nlan = \"x", "a\\", "a\x1b[31m", "\xff", "a\x7f", "b\" # "}) {
        CAPTURE(name);
        Draft draft{.site = name, .lans = {lan("lan0", "192.168.1.0/24")}};
        REQUIRE(propose_virtual_prefixes(draft).ok);
        const auto result = parse_site(write_draft(draft, "a\nb = 1"));
        CHECK(!result.site);
        // One finding: nothing else was made of it.
        CHECK(result.diagnostics.size() == 1);
    }
}

TEST_CASE("a site is named after the host") {
    CHECK(site_name_of("router-a.example.net") == "router-a");
    CHECK(site_name_of("") == "site");
    CHECK(site_name_of("\xc3\xa4") == "site");
    CHECK(site_name_of(std::string(70, 'x')).size() == 32);
}
