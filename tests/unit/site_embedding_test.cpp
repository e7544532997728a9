// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "tests/unit/site_mistake.h"

using namespace natctl;

namespace {

const std::string wg = "{ dev = 'wg0' }";
const std::string both = "['192.168.1.0/24', '10.10.10.0/24']";

} // namespace

TEST_CASE("a whole IPv4 site under one /96") {
    const auto result = parse_site(good_site + map_of("'fd00:b::/96'", both) + map_of("'fd00:c::/96'", "'10.0.0.0/8'"));
    REQUIRE(result.site);
    CHECK(result.diagnostics.empty());
    CHECK(result.site->maps.size() == 1);
    REQUIRE(result.site->embedding_maps.size() == 2);
    const auto& map = result.site->embedding_maps[0];
    CHECK(map.virtual_prefix.text() == "fd00:b::/96");
    REQUIRE(map.real_prefixes.size() == 2);
    CHECK(map.real_prefixes[1].text() == "10.10.10.0/24");
    CHECK(map.at == Position{6, 1});
    CHECK(map.virtual_at == Position{7, 11});
    REQUIRE(map.real_at.size() == 2);
    CHECK(map.real_at[1] == Position{8, 27});
    CHECK(result.site->embedding_maps[1].real_prefixes.at(0).text() == "10.0.0.0/8");
}

TEST_CASE("a site may have nothing but its /96") {
    const auto result = parse_site(site_head + map_of("'fd00:b::/96'", both));
    CHECK(result.site);
    CHECK(result.diagnostics.empty());
}

TEST_CASE("mistakes in a map from IPv6 to IPv4") {
    const Mistake mistakes[] = {
        {map_of("@'fd00:b::/64'", both), "fd00:b::/64 cannot carry IPv4 addresses", "length 96, as in fd00:b::/96"},
        {map_of("@'fd00:b::1'", "'10.0.0.0/24'"), "fd00:b::1/128 cannot carry", "fd00:b::/96"},
        {map_of("'fd00:b::/96'", "['10.0.0.0/24', @'fd00:2::/64']"), "fd00:2::/64 does not fit",
         "[[map]] of their own"},
        {map_of("'fd00:b::/96'", "@[]"), "\"real\" is an empty list", "real = "},
        {map_of("'fd00:b::/96'", "['10.0.0.0/24', @7]"), "\"real\" is an integer", "real = "},
        {map_of("'fd00:b::/96'", "['10.0.0.0/24', @'10.0.0.256']"), "no address or prefix", "192.168.1.20"},
        {"@[[map]]\nreal = ['10.0.0.0/24']\n", "[[map]] has no \"virtual\"", "virtual = "},
        {map_of("'fd00:b::/96'", both) + "name = @'all'\n", "a name for all", "remove the name"},
        {map_of("'fd00:b::/96'", "['10.0.0.0/24', @'10.0.0.0/24']"), "10.0.0.0/24 lies in 10.0.0.0/24", "leave it out"},
        {map_of("'fd00:b::/96'", "[@'10.0.0.7', '10.0.0.0/24']"), "10.0.0.7 lies in 10.0.0.0/24 (line 8)", "leave it"},
        {map_of("'fd00:b::/96'", both) + map_of("@'fd00:b::/96'", "['10.0.0.0/24']"),
         "virtual fd00:b::/96 is mapped twice (line 7)", "remove one"},
        {map_of("'fd00:b::/96'", both) + map_of("@'fd00:b::1'", "'fd00:2::1'"),
         "virtual fd00:b::1 and virtual fd00:b::/96 overlap (line 7)", "all of them"},
        {map_of("@'fd00:b::/96'", both) + map_of("'fd00:b::/64'", "'fd00:2::/64'"),
         "virtual fd00:b::/96 and virtual fd00:b::/64 overlap", "another prefix"},
        {map_of("'fd00:b::/96'", both) + peer_of("'b'", "@'fd00:b::/64'", wg),
         "fd00:b::/64 of peer b overlaps our own virtual fd00:b::/96", "of its own"},
        {map_of("'fd00:b::/96'", "'10.0.0.0/8'") + peer_of("'b'", "@'10.2.0.0/16'", wg),
         "10.2.0.0/16 of peer b overlaps our own real 10.0.0.0/8 (line 8)", "no LAN uses"},
        {map_of("'fd00:b::/96'", "'10.0.0.0/8'") + map_of("@'10.7.0.0/24'", "'172.16.0.0/24'"),
         "virtual 10.7.0.0/24 overlaps our own real 10.0.0.0/8", "none that a LAN here uses"},
        {map_of("'fd00:b::/96'", "[@'127.0.0.0/8']"), "loopback addresses (127.0.0.0/8) cannot be translated",
         "of a LAN"},
        {map_of("'fd00:b::/96'", "[@'169.254.1.0/24']"), "link-local addresses", "of a LAN"},
        {map_of("'fd00:b::/96'", "[@'239.1.0.0/16']"), "multicast addresses", "of a LAN"},
        {map_of("'198.18.3.0/24'", "@'fd00::/64'"), "IPv4 addresses 198.18.3.0/24 have no room", "fd00:1::/64"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
}

TEST_CASE("a LAN may be reached by both kinds of map, and peers have a /96") {
    const auto result = parse_site(good_site + map_of("'64:ff9b:1:1::/96'", "'192.168.1.0/24'") +
                                   peer_of("'b'", "['198.18.2.0/24', '64:ff9b:1:2::/96']", wg));
    REQUIRE(result.site);
    CHECK(result.diagnostics.empty());
    CHECK(result.site->peers.at(0).virtual_prefixes.at(1).text() == "64:ff9b:1:2::/96");
}

TEST_CASE("a /96 outside of the range for local translation is warned of") {
    check_mistake(good_site,
                  {map_of("@'64:ff9b:1111::/96'", both), "64:ff9b:1111::/96 is virtual here", "64:ff9b:1:1::/96"},
                  Severity::warning);
}

TEST_CASE("helpers") {
    const auto result = parse_site("helpers = ['sip', 'ftp']\n" + good_site);
    REQUIRE(result.site);
    CHECK(result.site->helpers == std::vector{Helper::sip, Helper::ftp});
    CHECK(parse_site("helpers = 'ftp'\n" + good_site).site->helpers.size() == 1);
    CHECK(parse_site("helpers = []\n" + good_site).site->helpers.empty());
    check_mistake("", {"helpers = ['ftp', @'tftp']\n" + good_site, "no helper for \"tftp\"", "\"ftp\" or \"sip\""});
    check_mistake("", {"helpers = ['ftp', @'ftp']\n" + good_site, "helper ftp is named twice", "once"});
    check_mistake("", {"helpers = @true\n" + good_site, "\"helpers\" is a boolean, not the name of a protocol", "ftp"});
}
