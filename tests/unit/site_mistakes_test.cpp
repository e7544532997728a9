// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/site_mistake.h"

using namespace natctl;

TEST_CASE("mistakes of the TOML syntax") {
    const Mistake mistakes[] = {
        {"lan = @lan0\n", "could not determine value type", "quotation marks"},
        {"site = \"a\"\nsite = @\"b\"\n", "cannot redefine", "give each key once"},
        {"lan = [\"lan0\" @\"lan1\"]\n", "a quotation mark in the middle of a value, or after one", "comma"},
        {"mask = [1 @2]\n", "expected comma", "comma"},
        {"name = Anna@'s\n", "a quotation mark in the middle", "as a whole"},
        {"a = 1.@'\u045e'\n", "a quotation mark in the middle", "new line"},
        {"a = 1979-05@'\u045e'\n", "a quotation mark in the middle", "new line"},
        {"site = \"a@\nlan = 1", "parsing string", "same quotation mark"},
        {"[[map]@\nvirtual = 1\n", "table header", "[[map]]"},
        {"site@\n", "expected '='", "KEY = VALUE"},
        {"link = { dev = \"wg0\",@\n}\n", "inline table", "one line"},
        {"site = \"a\" @lan = \"b\"\n", "comment or whitespace", "new line"},
        {"site = @\"\xff\"\n", "utf-8", "UTF-8"},
        {"x = [[[[[[[[[[[[[[[[@[[[\n", "nested", "nested deeper"},
        {"a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p@.q = 1\n", "more than 16 parts", "two parts"},
        {"\"x.#\" = '#.' # ....\n['a' . b.c.d.e.f.g.h.i.j.k.l.m\t.n.o.p@.q]\n", "more than 16 parts", "two parts"},
        {"site = @\"\"\"a\"\"\"\n", "text of several lines", "on one line"},
        {"site = @'''a'''\n", "text of several lines", "on one line"},
        {"site = @“a”\n", "\"“\" outside of quotation marks", "plain quotation marks"},
        {"'ü' = 1 # ü\nlan@ў = 1\n", "\"ў\" outside of quotation marks", "only ASCII"},
        {"site = 1\n@\xc2\xa0"
         "lan = 1\n",
         "outside of quotation marks", "only ASCII"},
        {"site = 1\n@\xff\xfe", "no UTF-8", "UTF-8"},
    };
    for (const auto& mistake : mistakes) check_mistake("", mistake);
}

TEST_CASE("dots are counted in keys alone") {
    CHECK(parse_site(good_site + "# a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r\n").site);
    CHECK(parse_site("white_list = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6']\n" +
                     good_site)
              .site);
    const auto result = parse_site("x = \"a.b.c.d.e.f.g.h.\\\"\"\ny = 'i.j.k.l.m.n.o.p.q.r.s.t'\n" + good_site);
    REQUIRE(result.diagnostics.size() == 2);
    CHECK(result.diagnostics[0].message == "unknown key \"x\" in site.toml");
    CHECK(result.diagnostics[1].message == "unknown key \"y\" in site.toml");
}

TEST_CASE("missing keys") {
    check_mistake("", {"@lan = \"lan0\"\n", "site.toml has no \"site\"", "add site = \"a\""});
    check_mistake("", {"@site = \"a\"\n", "site.toml has no \"lan\"", "add lan = \"lan0\""});
    const Mistake mistakes[] = {
        {"@[[map]]\nreal = \"10.0.0.0/24\"\n", "[[map]] has no \"virtual\"", "add virtual = \"240.1.1.0/24\""},
        {"@[[map]]\nvirtual = \"198.18.3.0/24\"\n", "[[map]] has no \"real\"", "add real = \"192.168.1.0/24\""},
        {"  @[[peer]]\nvirtual = \"198.18.2.0/24\"\nlink = {dev = \"wg0\"}\n", "[[peer]] has no \"name\"",
         "add name = \"b\""},
        {"@[[peer]]\nname = \"b\"\nlink = {dev = \"wg0\"}\n", "[[peer]] has no \"virtual\"", "add virtual = "},
        {"@[[peer]]\nname = \"b\"\nvirtual = \"198.18.2.0/24\"\n", "[[peer]] has no \"link\"", "add link = "},
        {"@[[tunnel.socks5]]\nallow = \"10.0.0.1\"\n", "[[tunnel.socks5]] has no \"listen\"", "add listen = "},
        {"@[[tunnel.http]]\nallow = \"10.0.0.1\"\n", "[[tunnel.http]] has no \"listen\"", "add listen = "},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
}

TEST_CASE("unknown keys name the nearest known one") {
    const Mistake mistakes[] = {
        {"@sit = 1\n", "unknown key \"sit\" in site.toml", "nearest known key is \"site\"; known here: site, lan, map"},
        {"@white-list = []\n", "unknown key \"white-list\"", "\"white_list\""},
        {"@mapp = []\n", "unknown key \"mapp\"", "\"map\""},
        {"marks = { @make = 1 }\n", "unknown key \"make\" in [marks]", "\"mask\""},
        {"tunnel = { @prot = 1 }\n", "unknown key \"prot\" in [tunnel]", "\"port\""},
        {"@'' = 1\n", "unknown key \"\"", "known here"},
    };
    for (const auto& mistake : mistakes) check_mistake("", {mistake.text + good_site, mistake.message, mistake.remedy});
    check_mistake(site_head, {"[[@pear]]\n", "unknown key \"pear\"", "\"peer\""});
    check_mistake(good_site, {"@vritual = 1\n", "unknown key \"vritual\" in [[map]]", "\"virtual\""});
    check_mistake(good_site, {peer_of("'b'", "'198.18.2.0/24'", "{ @dve = 'wg0', dev = 'wg0' }"),
                              "unknown key \"dve\" in a link", "\"dev\""});
    check_mistake(good_site, {"[[tunnel.socks5]]\nlisten = '127.0.0.1:1'\n@alow = []\n",
                              "unknown key \"alow\" in [[tunnel.socks5]]", "\"allow\""});
    check_mistake(good_site, {"[[tunnel.http]]\nlisten = '127.0.0.1:1'\n@alow = []\n",
                              "unknown key \"alow\" in [[tunnel.http]]", "\"allow\""});
    // The key that was meant is not missed as well.
    check_mistake("", {"@siet = \"a\"\nlan = \"lan0\"\n", "unknown key \"siet\"", "\"site\""});
    check_mistake(site_head,
                  {"[[map]]\nvirtual = '198.18.1.0/24'\n@rael = '10.0.0.0/24'\n", "unknown key \"rael\"", "\"real\""});
    check_mistake("", {"@\"\\u001b[2J\" = 1\n" + good_site, "unknown key \"\\u001b[2J\"", "known here"});
}

TEST_CASE("wrong types say what was found and what is wanted") {
    const Mistake head[] = {
        {"site = @1\nlan = \"lan0\"\n", "\"site\" is an integer, not text", "site = \"a\""},
        {"site = \"a\"\nlan = @true\n", "\"lan\" is a boolean, not the name of an interface or a list",
         "lan = \"lan0\""},
        {"site = \"a\"\nlan = [\"lan0\", @1.5]\n", "\"lan\" is a fraction, not", "lan = "},
        {"site = \"a\"\nlan = @[]\n", "\"lan\" is an empty list", "lan = \"lan0\""},
        {"site = \"a\"\nlan = \"lan0\"\nwhite_list = @1979-05-27\n", "\"white_list\" is a date, not a prefix",
         "white_list = ["},
        {"site = \"a\"\nlan = \"lan0\"\nmap = @1\n", "\"map\" is an integer, not a list of tables", "[[map]]"},
        {"site = \"a\"\nlan = \"lan0\"\nmap = [@1]\n", "\"map\" is an integer, not a list of tables", "[[map]]"},
        {"site = \"a\"\nlan = \"lan0\"\n@[map]\nreal = \"10.0.0.0/8\"\n", "\"map\" is a table, not a list", "[[map]]"},
        {"site = \"a\"\nlan = \"lan0\"\n@[peer]\n", "\"peer\" is a table, not a list", "[[peer]]"},
        {"site = \"a\"\nlan = \"lan0\"\n@[[tunnel]]\n", "\"tunnel\" is a list, not a table", "[tunnel]"},
        {"site = \"a\"\nlan = \"lan0\"\ntunnel = {socks5 = @{}}\n", "\"socks5\" is a table, not a list",
         "[[tunnel.socks5]]"},
        {"site = \"a\"\nlan = \"lan0\"\ntunnel = {http = @{}}\n", "\"http\" is a table, not a list", "[[tunnel.http]]"},
        {"site = \"a\"\nlan = \"lan0\"\ntunnel.port = @\"80\"\n", "\"port\" is text, not a port", "port = 12345"},
        {"site = \"a\"\nlan = \"lan0\"\nmarks.mask = @\"0xf00\"\n", "\"mask\" is text, not an integer",
         "mask = 0x00000f00"},
    };
    for (const auto& mistake : head) check_mistake("", mistake);
    const Mistake tail[] = {
        {"[[map]]\nvirtual = @[\"198.18.3.0/24\"]\nreal = \"10.0.0.0/24\"\n", "\"virtual\" is a list, not a prefix",
         "virtual = \"240.1.1.0/24\""},
        {"[[map]]\nvirtual = \"198.18.3.0/24\"\nreal = @5\n", "\"real\" is an integer, not a prefix", "real = "},
        {"[[map]]\nvirtual = \"198.18.3.1\"\nreal = \"10.0.0.1\"\nname = @07:32:00\n", "\"name\" is a time, not text",
         "name = "},
        {"[[peer]]\nname = \"b\"\nvirtual = @[]\nlink = {dev = \"wg0\"}\n", "\"virtual\" is an empty list",
         "240.2.2.0/24"},
        {"[[peer]]\nname = \"b\"\nvirtual = \"198.18.2.0/24\"\nlink = @\"wg0\"\n", "\"link\" is text, not a link",
         "link = { dev = \"wg0\" }"},
        {"[[peer]]\nname = \"b\"\nvirtual = \"198.18.2.0/24\"\nlink = [@\"wg0\"]\n", "\"link\" is text, not a link",
         "{ dev"},
        {"[[peer]]\nname = \"b\"\nvirtual = \"198.18.2.0/24\"\nlink = @[]\n", "\"link\" is an empty list", "{ dev"},
        {"[[tunnel.socks5]]\nlisten = \"127.0.0.1:1080\"\nallow = @[]\n", "\"allow\" is an empty list", "allow = ["},
        {"[[tunnel.socks5]]\nlisten = \"127.0.0.1:1080\"\nuser = @1\npassword_file = \"p\"\n", "\"user\" is an integer",
         "user"},
    };
    for (const auto& mistake : tail) check_mistake(good_site, mistake);
}
