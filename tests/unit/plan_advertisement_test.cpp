// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "nftctl/plan/advertisement.h"

using namespace natctl;

namespace {

Address at(const std::string& text) { return Address::parse(text).value(); }
Prefix prefix(const std::string& text) { return Prefix::parse(text).value(); }

Site site_a() {
    Site site;
    site.name = "a";
    site.lan = {"lan1", "lan0", "absent0"};
    site.peers = {{.name = "b", .virtual_prefixes = {prefix("240.2.2.0/24"), prefix("64:ff9b:1:2::/96")}},
                  {.name = "c", .virtual_prefixes = {prefix("fd01:3::/64")}}};
    return site;
}

Facts router() {
    Facts facts;
    facts.interfaces = {{"lan0", 2, true, {{at("192.168.1.1"), 24}, {at("fd00:a::1"), 64}, {at("fd00:a::2"), 64}}},
                        {"lan1", 3, true, {{at("10.10.10.10"), 24}, {at("fd00:b::1"), 128}}},
                        {"wan0", 4, true, {{at("2001:db8::1"), 64}}}};
    return facts;
}

} // namespace

TEST_CASE("each LAN is given the prefixes of the router's addresses there, once") {
    const auto found = advertisements(site_a(), router());
    REQUIRE(found.size() == 2);
    CHECK(found[0].interface == "lan1");
    CHECK(found[0].prefixes.empty());
    CHECK(found[1].interface == "lan0");
    CHECK(found[1].prefixes == std::vector{prefix("fd00:a::/64")});
}

TEST_CASE("hosts get routes to the peers' IPv6 prefixes") {
    CHECK(advertised_routes(site_a()) == std::vector{prefix("64:ff9b:1:2::/96"), prefix("fd01:3::/64")});
}

TEST_CASE("an own network is always the same one for an interface of a site, and not that of others") {
    const auto own = unique_local_address(site_a(), "lan1");
    CHECK(prefix("fd00::/8").contains(own.address));
    CHECK(own.length == 64);
    CHECK(own == unique_local_address(site_a(), "lan1"));
    CHECK(own != unique_local_address(site_a(), "lan0"));
    auto other = site_a();
    other.name = "b";
    CHECK(own != unique_local_address(other, "lan1"));
}

TEST_CASE("radvd's configuration") {
    CHECK(radvd_configuration(site_a(), router(), true) ==
          R"(# The peers of site a, for hosts of its LANs. Printed by natctl radvd.

interface lan0
{
    AdvSendAdvert on;
    # Not the way to the Internet.
    AdvDefaultLifetime 0;
    prefix fd00:a::/64 { AdvOnLink on; AdvAutonomous on; };
    route 64:ff9b:1:2::/96 { AdvRouteLifetime 1800; RemoveRoute on; };
    route fd01:3::/64 { AdvRouteLifetime 1800; RemoveRoute on; };
};
)");
    const auto routes_only = radvd_configuration(site_a(), router(), false);
    CHECK(routes_only.find("interface lan1") != std::string::npos);
    CHECK(routes_only.find("prefix") == std::string::npos);
}
