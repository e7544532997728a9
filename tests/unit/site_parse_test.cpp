// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/parse.h"

#include <doctest/doctest.h>

using namespace natctl;

TEST_CASE("the smallest useful file") {
    const auto result = parse_site(R"(
site = "a"
lan  = "lan0"

[[map]]
virtual = "240.1.1.0/24"
real    = "192.168.1.0/24"

[[peer]]
name    = "b"
virtual = ["240.2.2.0/24", "64:ff9b:2222::/96"]
link    = { socks5 = "127.0.0.1:1080" }
)");
    REQUIRE(result.site);
    CHECK(result.site->name == "a");
    REQUIRE(result.site->lan.size() == 1);
    CHECK(result.site->lan[0] == "lan0");
    REQUIRE(result.site->maps.size() == 1);
    CHECK(result.site->maps[0].virtual_prefix.text() == "240.1.1.0/24");
    CHECK(result.site->maps[0].real_prefix.text() == "192.168.1.0/24");
    REQUIRE(result.site->peers.size() == 1);
    const auto& peer = result.site->peers[0];
    CHECK(peer.name == "b");
    REQUIRE(peer.virtual_prefixes.size() == 2);
    CHECK(peer.virtual_prefixes[1].text() == "64:ff9b:2222::/96");
    REQUIRE(peer.links.size() == 1);
    CHECK(std::get<SocksLink>(peer.links[0]).server.text() == "127.0.0.1:1080");
}
