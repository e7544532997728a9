// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>

#include <doctest/doctest.h>

#include "nftctl/site/parse.h"
#include "tests/unit/site_mistake.h"

using namespace natctl;

namespace {

std::string agent(const std::string& text) { return "[agent]\n" + text + "\n"; }

AgentSettings read(const std::string& text) {
    const auto result = parse_site(good_site + agent(text));
    REQUIRE(result.site);
    CHECK(result.diagnostics.empty());
    return result.site->agent;
}

} // namespace

TEST_CASE("what the agent shows of itself") {
    CHECK(parse_site(good_site).site->agent.http.empty());
    CHECK(read("").http.empty());

    const auto one = read("http = '127.0.0.1:9117'");
    REQUIRE(one.http.size() == 1);
    CHECK(std::get<Endpoint>(one.http[0].listen).text() == "127.0.0.1:9117");
    CHECK(!one.page);

    const auto several = read("http = ['[::1]:9117', '127.0.0.2:80', '/run/natctl/http.sock']\npage = true");
    REQUIRE(several.http.size() == 3);
    CHECK(several.http[0].text() == "[::1]:9117");
    CHECK(std::get<std::string>(several.http[2].listen) == "/run/natctl/http.sock");
    CHECK(several.http[2].text() == "/run/natctl/http.sock");
    CHECK(several.page);
}

TEST_CASE("whether the table belongs to the agent") {
    CHECK(!read("").own_table);
    CHECK(read("own_table = true").own_table);
    CHECK(!read("own_table = false").own_table);
}

TEST_CASE("mistakes about what the agent shows") {
    const std::string nine = "[agent]\nhttp = @'127.0.0.1:9117'\n";
    const Mistake mistakes[] = {
        {"@[[agent]]\nhttp = 1", "\"agent\" is a list, not a table", "[agent]"},
        {"[agent]\n@htpp = '127.0.0.1:9117'", "unknown key \"htpp\"", "http"},
        {"[agent]\nhttp = @9117", "\"http\" is an integer, not an address of loopback", "http = \"127.0.0.1:9117\""},
        {"[agent]\nhttp = @[]", "\"http\" is an empty list", "127.0.0.1:9117"},
        {"[agent]\nhttp = @'127.0.0.1'", "127.0.0.1", ""},
        {"[agent]\nhttp = @'0.0.0.0:9117'", "0.0.0.0:9117 is not on loopback", "ssh -L"},
        {"[agent]\nhttp = ['[::1]:1', @'192.168.1.1:9117']", "192.168.1.1:9117 is not on loopback", "[::1]:9117"},
        {"[agent]\nhttp = @'/" + std::string(200, 'x') + "'", "is too long for a socket", "/run/natctl/http.sock"},
        {"[agent]\nhttp = '127.0.0.1:9117'\npage = @'yes'", "\"page\" is text, not a boolean", "page = true"},
        {"[agent]\nown_table = @1", "\"own_table\" is an integer, not a boolean", "own_table = true"},
        {"[agent]\npage = @true", "nothing says where the page is to be shown", "http = "},
        {"[agent]\nhttp = ['[::1]:9117', @'[::1]:9117']", "[::1]:9117 stands twice (line 7)", "leave one"},
        {"[agent]\nhttp = @'127.0.0.1:12345'", "takes the port of the tunnel itself", "[tunnel] port"},
        {nine + "[[tunnel.http]]\nlisten = '127.0.0.1:9117'", "is taken by a listener of the tunnel (line 9)",
         "another port"},
        {nine + "[[tunnel.socks5]]\nlisten = '0.0.0.0:9117'\nallow = ['203.0.113.2']",
         "is taken by a listener of the tunnel (line 9)", "another port"},
        {nine + "[xray]\nlisten = '127.0.0.1:9117'\nid_file = 'a.id'", "is where Xray takes what peers send (line 9)",
         "another port"},
        {nine + "[intercept]\nproxy = { socks5 = '127.0.0.1:9117' }", "is where [intercept] expects a proxy (line 9)",
         "another port"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
    check_mistake(good_site, {nine + peer_of("'b'", "'198.18.2.0/24'", "{ socks5 = '127.0.0.1:9117' }"),
                              "is where the link to peer b expects a proxy", "another port"});
}

TEST_CASE("the same port of the other family is free") {
    const auto result =
        parse_site(good_site + agent("http = '127.0.0.1:9117'") + "[[tunnel.http]]\nlisten = '[::1]:9117'\n");
    CHECK(result.site);
}
