// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "tests/unit/site_mistake.h"

using namespace natctl;

namespace {

std::string link(const std::string& text) { return peer_of("'b'", "'198.18.2.0/24'", text); }

DevLink parsed(const std::string& text) {
    const auto result = parse_site(good_site + link(text));
    REQUIRE(result.site);
    CHECK(result.diagnostics.empty());
    return std::get<DevLink>(result.site->peers.at(0).links.at(0));
}

} // namespace

TEST_CASE("who is asked whether a link works") {
    CHECK(parsed("{ dev = 'wg0' }").probed);
    CHECK_FALSE(parsed("{ dev = 'wg0' }").probe);
    CHECK(parsed("{ dev = 'wg0', probe = '10.99.0.2' }").probe == Address::parse("10.99.0.2"));
    CHECK(parsed("{ dev = 'wg0', probe = 'fd00:99::2' }").probe == Address::parse("fd00:99::2"));
    CHECK_FALSE(parsed("{ dev = 'eth1', via = '203.0.113.2', probe = false }").probed);
    CHECK(parsed("{ dev = 'eth1', via = '203.0.113.2', probe = true }").probed);
}

TEST_CASE("mistakes in probes") {
    const Mistake mistakes[] = {
        {link("{ dev = 'wg0', probe = @'198.18.2.1' }"), "198.18.2.1 lies in 198.18.2.0/24 of peer b",
         "the other router has on this link itself"},
        {link("{ dev = 'wg0', probe = @'198.18.1.1' }"), "198.18.1.1 lies in our own virtual", "on this link itself"},
        {link("{ dev = 'wg0', probe = @'127.0.0.1' }"), "cannot be asked whether a link works", "198.51.100.2"},
        {link("{ dev = 'wg0', probe = @'10.99.0' }"), "10.99.0", ""},
        {link("{ dev = 'wg0', probe = @5 }"), "not an address, or false", "probe = \"10.99.0.2\""},
        {link("{ socks5 = '127.0.0.1:1080', probe = @false }"), "\"probe\" means nothing in a link by a SOCKS5 proxy",
         ""},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
}

TEST_CASE("programs for the agent to run") {
    const auto result =
        parse_site(good_site + "[tunnel]\nrun = '/usr/sbin/natctl-tunnel'\n[xray]\nrun = '/usr/bin/xray'\n");
    REQUIRE(result.site);
    CHECK(result.site->tunnel.run == "/usr/sbin/natctl-tunnel");
    CHECK(result.site->xray_run == "/usr/bin/xray");
    CHECK_FALSE(result.site->xray);
    check_mistake(good_site,
                  {"[tunnel]\nrun = @'natctl-tunnel'\n", "\"natctl-tunnel\" cannot be a program", "whole path"});
    check_mistake(good_site, {"[xray]\nrun = @''\n", "cannot be a program", "whole path"});
    check_mistake(good_site,
                  {"@[xray]\nrun = '/usr/bin/xray'\nlisten = '203.0.113.1:443'\n", "no \"id_file\"", "id_file"});
}
