// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "tests/unit/site_mistake.h"

using namespace natctl;

namespace {

std::string white_list(const std::string& text) { return "[white_list]\n" + text + "\n"; }

} // namespace

TEST_CASE("the white list in its long form") {
    const auto result = parse_site(good_site + white_list(R"(prefixes = ["198.51.100.0/24", "2001:db8::/32"]
endpoints = ["proxy.example.net", "203.0.113.5", "xn--bcher-kva.example."]
interfaces = ["ppp0", "ppp1"]
private = true
ipset = "white_list")"));
    REQUIRE(result.site);
    CHECK(result.diagnostics.empty());
    const auto& list = result.site->white_list;
    REQUIRE(list.prefixes.size() == 2);
    CHECK(list.prefixes[1].text() == "2001:db8::/32");
    CHECK(list.endpoints == std::vector<std::string>{"proxy.example.net", "203.0.113.5", "xn--bcher-kva.example."});
    CHECK(list.interfaces == std::vector<std::string>{"ppp0", "ppp1"});
    CHECK(list.private_networks);
    CHECK(list.ipset == "white_list");
    CHECK(list.prefix_at.at(1) == Position{7, 32});
    CHECK(list.endpoint_at.at(1) == Position{8, 35});
    CHECK(list.interface_at.at(1) == Position{9, 23});
    CHECK(list.ipset_at == Position{11, 9});
}

TEST_CASE("all keys of the white list may be left out") {
    const auto result = parse_site(good_site + white_list(""));
    REQUIRE(result.site);
    CHECK(!result.site->white_list.private_networks);
    CHECK(result.site->white_list.ipset.empty());
}

TEST_CASE("mistakes in the white list") {
    const std::string name63(63, 'a');
    const Mistake mistakes[] = {
        {white_list("@prefix = []"), "unknown key \"prefix\" in [white_list]", "\"prefixes\""},
        {white_list("prefixes = @true"), "\"prefixes\" is a boolean, not a prefix or a list", "prefixes = ["},
        {white_list("prefixes = [@'198.51.100.0/33']"), "no address or prefix", "0 to 32"},
        {white_list("private = @'yes'"), "\"private\" is text, not a boolean", "private = true"},
        {white_list("ipset = @'a b'"), "\"a b\" cannot be the name of an ipset", "1 to 30"},
        {white_list("ipset = @''"), "cannot be the name of an ipset", "1 to 30"},
        {white_list("ipset = @'" + std::string(31, 'w') + "'"), "cannot be the name of an ipset", "1 to 30"},
        {white_list("ipset = @[]"), "\"ipset\" is a list, not text", "white_list"},
        {white_list("interfaces = ['ppp0', @'ppp0']"), "interface ppp0 is named twice (line 7)", "once"},
        {white_list("interfaces = @'ppp 0'"), "cannot be the name of an interface", "ip link"},
        {white_list("endpoints = ['a.example', @'a.example']"), "endpoint a.example is named twice", "once"},
        {white_list("endpoints = @'a.example:443'"), "neither the name of a host", "leave the port out"},
        {white_list("endpoints = @'203.0.113.5:443'"), "neither the name of a host", "leave the port out"},
        {white_list("endpoints = @'[2001:db8::1]:443'"), "neither the name of a host", "leave the port out"},
        {white_list("endpoints = @'203.0.113.0/24'"), "neither the name of a host", "prefixes = [...]"},
        {white_list("endpoints = @'203.0.113.256'"), "neither the name of a host", "203.0.113.5"},
        {white_list("endpoints = @'a..example'"), "neither the name of a host", "DNS"},
        {white_list("endpoints = @'-a.example'"), "neither the name of a host", "DNS"},
        {white_list("endpoints = @''"), "neither the name of a host", "DNS"},
        {white_list("endpoints = @'" + name63 + "a.example'"), "neither the name of a host", "DNS"},
        {white_list("endpoints = @'::ffff:203.0.113.5'"), "IPv4 address in IPv6 form", "203.0.113.5"},
        {white_list("prefixes = @'198.18.1.0/25'"), "198.18.1.0/25 on the white list hides our own virtual",
         "leave this out"},
        {white_list("endpoints = @'198.18.1.7'"), "198.18.1.7 on the white list hides our own virtual",
         "leave this out"},
        {"@[[white_list]]\n", "\"white_list\" is a list of tables", "one white list"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
    CHECK(parse_site(good_site + white_list("endpoints = '" + name63 + ".example'")).site);
}
