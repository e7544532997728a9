// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <optional>

#include <doctest/doctest.h>

#include "nftctl/plan/compile.h"

using namespace natctl;

namespace {

Map map(const char* virtual_prefix, const char* real_prefix) {
    return {.virtual_prefix = *Prefix::parse(virtual_prefix),
            .real_prefix = *Prefix::parse(real_prefix),
            .name = {},
            .at = {}};
}

/// The router has 192.168.1.1 on lan0 and 10.10.10.1 on lan1.
std::vector<Route> own_routes(std::vector<Map> maps) {
    Site site;
    site.lan = {"lan0", "lan1"};
    site.maps = std::move(maps);
    Facts facts;
    facts.interfaces = {{"lan0", 2, true, {{*Address::parse("192.168.1.1"), 24}}},
                        {"lan1", 3, true, {{*Address::parse("10.10.10.1"), 24}}}};
    auto routes = compile_routes(site, MapParts(site), facts);
    std::erase_if(routes, [](const Route& route) { return route.table != routing::placeholder_table; });
    return routes;
}

std::string text(const std::vector<Route>& routes) {
    std::string result;
    for (const auto& route : routes)
        result += route.destination.text() + " " + (route.source ? route.source->text() : "-") + "\n";
    return result;
}

} // namespace

TEST_CASE("each own prefix has a route whose source is the router's address behind it") {
    CHECK(text(own_routes({map("240.1.10.0/24", "10.10.10.0/24"), map("240.1.1.0/24", "192.168.1.0/24")})) ==
          "240.1.1.0/24 192.168.1.1\n240.1.10.0/24 10.10.10.1\n");
}

TEST_CASE("what lies under a wider prefix needs no route") {
    CHECK(text(own_routes({map("240.1.1.0", "10.10.10.7"), map("240.1.1.255", "10.10.10.8"),
                           map("240.1.1.128/25", "10.10.10.128/25"), map("240.1.1.0/24", "192.168.1.0/24"),
                           map("240.1.2.0", "10.10.10.9")})) == "240.1.1.0/24 192.168.1.1\n240.1.2.0/32 192.168.1.1\n");
}

TEST_CASE("hosts side by side share routes") {
    std::vector<Map> hosts;
    for (std::uint32_t i = 0; i < 1024; ++i)
        hosts.push_back({.virtual_prefix = {Address::v4(0xf0020000 + i * 37 % 1024), 32},
                         .real_prefix = {Address::v4(0xc0a80100 + i), 32},
                         .name = {},
                         .at = {}});
    CHECK(text(own_routes(hosts)) == "240.2.0.0/22 192.168.1.1\n");
    std::erase_if(hosts, [](const Map& host) { return host.virtual_prefix == *Prefix::parse("240.2.0.1"); });
    CHECK(own_routes(hosts).size() == 10);
}
