// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>

#include <doctest/doctest.h>

#include "tests/unit/site_mistake.h"

using namespace natctl;

TEST_CASE("names that are none") {
    const std::string site_remedy = "1 to 32 letters";
    for (const auto& [name, shown] : {
             std::pair<std::string, std::string>{"\"a b\"", "\"a b\""},
             {"''", "\"\""},
             {"'a/b'", "\"a/b\""},
             {"'\"<b>'", "\"\"<b>\""},
             {"'abcdefghijklmnopqrstuvwxyz0123456'", "\"abcdefghijklmnopqrstuvwxyz0123456\""},
             {R"("\u0000\n\u009b\u202e")", R"("\u0000\n\u009b\u202e")"},
             {"'süd'", "\"süd\""},
         }) {
        check_mistake("", {"site = @" + name + "\nlan = 'lan0'\n", shown + " cannot be a name", site_remedy});
        check_mistake(good_site, {peer_of("@" + name, "'198.18.2.0/24'", "{dev='wg0'}"), shown + " cannot be a name",
                                  site_remedy});
    }
    for (const std::string name : {"a", "A-1_b.example", "abcdefghijklmnopqrstuvwxyz012345"})
        CHECK(parse_site("site = '" + name + "'\nlan = 'lan0'\n" + one_map).site);
}

TEST_CASE("interfaces that are none") {
    for (const std::string name : {"''", "'.'", "'..'", "'eth0/1'", "'a b'", "'a\tb'", "'eth0:1'", "'wg*'", "'a\"b'",
                                   "'sixteencharacter'", "\"e\\u0000\"", "'lan0@br0 '", "'ä'"}) {
        check_mistake("", {"site = 'a'\nlan = ['lan0', @" + name + "]\n", "cannot be the name of an interface",
                           "1 to 15 characters"});
        check_mistake(good_site, {peer_of("'b'", "'198.18.2.0/24'", "{ dev = @" + name + " }"),
                                  "cannot be the name of an interface", "`ip link`"});
    }
    for (const std::string name : {"br-lan", "eth0.100", "fifteencharacte", "wg_0", "a+b", "ppp%1"})
        CHECK(parse_site("site = 'a'\nlan = '" + name + "'\n" + one_map).site);
}

TEST_CASE("prefixes that are none") {
    const Mistake mistakes[] = {
        {"192.168.1.0/33", "\"192.168.1.0/33\" is no address or prefix", "0 to 32"},
        {"fd00::/129", "\"fd00::/129\" is no address or prefix", "to 128"},
        {"192.168.1.0/255.255.255.0", "is no address or prefix", "netmasks"},
        {"192.168.1/24", "is no address or prefix", "before the slash is no address"},
        {"192.168.1.0/", "is no address or prefix", "0 to 32"},
        {"192.168.1.0/-1", "is no address or prefix", "0 to 32"},
        {"192.168.1.0/08", "is no address or prefix", "0 to 32"},
        {"192.168.1.0 /24", "is no address or prefix", "before the slash"},
        {"", "\"\" is no address or prefix", "write an address"},
        {"lan0", "\"lan0\" is no address or prefix", "names are not looked up"},
        {"192.168.001.0", "is no address or prefix", "write an address"},
        {"fe80::1%eth0", "is no address or prefix", "write an address"},
        {"::ffff:192.168.1.20", "is an IPv4 address in IPv6 form", "write 192.168.1.20"},
        {"::ffff:192.168.1.0/120", "is an IPv4 address in IPv6 form", "write 192.168.1.0/24"},
        {"::FFFF:c0a8:114/128", "is an IPv4 address in IPv6 form", "write 192.168.1.20"},
    };
    for (const auto& [text, message, remedy] : mistakes) {
        const std::string value = "@'" + text + "'";
        check_mistake(good_site, {map_of(value, "'10.0.0.0/24'"), message, remedy});
        check_mistake(good_site, {map_of("'198.18.3.0/24'", value), message, remedy});
        check_mistake(good_site, {peer_of("'b'", "['198.18.2.0/24', " + value + "]", "{dev='wg0'}"), message, remedy});
        check_mistake("", {"white_list = " + value + "\n" + good_site, message, remedy});
        for (const std::string key : {"allow", "to"})
            check_mistake(good_site, {"[[tunnel.socks5]]\nlisten='127.0.0.1:1080'\n" + key + " = [" + value + "]\n",
                                      message, remedy});
    }
    const std::string megabyte(1 << 20, 'x');
    const auto result = parse_site("white_list = '" + megabyte + "'\n" + good_site);
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(result.diagnostics[0].message.size() < 200);
    CHECK(render(result.diagnostics, "site.toml", "white_list = '" + megabyte).size() < 1000);
}

TEST_CASE("maps that are none") {
    const Mistake mistakes[] = {
        {map_of("'198.18.3.0/24'", "@'10.0.0.0/16'"), "real 10.0.0.0/16 and virtual 198.18.3.0/24 differ in length",
         "24 or 16"},
        {map_of("'198.18.3.1'", "@'10.0.0.0/24'"), "differ in length", "32 or 24"},
        {map_of("'fd00:1::/64'", "@'fd00:2::/65'"), "differ in length", "64 or 65"},
        {map_of("'198.18.3.0/24'", "'10.0.0.0/24'") + "name = @'printer'\n", "a name for all of 198.18.3.0/24",
         "only single hosts have names"},
        {map_of("'198.18.3.1'", "'10.0.0.1'") + "name = @''\n", "\"\" cannot be the name of a host", "printable"},
        {map_of("'198.18.3.1'", "'10.0.0.1'") + "name = @\"a\\tb\"\n", R"("a\tb" cannot be the name of a host)",
         "printable"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
    CHECK(parse_site(good_site + map_of("'198.18.3.1'", "'10.0.0.1'") + "name = \"Anna's Drucker, Büro\"\n").site);
}

TEST_CASE("links that are none") {
    const Mistake links[] = {
        {"@{}", "a link with neither \"dev\" nor \"socks5\"", "{ dev = \"wg0\" }"},
        {"@{ via = '198.51.100.2' }", "a link with neither", "{ dev = "},
        {"[{ dev = 'wg0' }, @{ dev = 'wg1', socks5 = '127.0.0.1:1080' }]", "a link with both", "two links"},
        {"{ dev = 'eth1', via = @'198.51.100.0/24' }", "\"198.51.100.0/24\" is no address", "address alone"},
        {"{ dev = 'eth1', via = @'b.example.net' }", "is no address", "names are not looked up"},
        {"{ dev = 'eth1', via = @'::ffff:198.51.100.2' }", "IPv4 address in IPv6 form", "write 198.51.100.2"},
        {"{ dev = 'eth1', via = ['198.51.100.2', @'198.51.100.3'] }", "a second IPv4 gateway", "at most one"},
        {"{ dev = 'eth1', via = ['2001:db8::2', '198.51.100.2', @'2001:db8::3'] }", "a second IPv6 gateway", "at most"},
        {"{ dev = 'eth1', via = @[] }", "\"via\" is an empty list", "via = \"198.51.100.2\""},
        {"{ dev = 'eth1', via = @7 }", "\"via\" is an integer, not an address or a list", "via = "},
        {"{ dev = 'wg0', user = @'a' }", "\"user\" means nothing in a link by an interface", "socks5"},
        {"{ socks5 = '127.0.0.1:1080', via = @'198.51.100.2' }", "\"via\" means nothing in a link by a SOCKS5", "dev"},
        {"{ socks5 = @'127.0.0.1' }", "\"127.0.0.1\" is no address with a port", "ADDRESS:PORT"},
        {"{ socks5 = @'b.example.net:1080' }", "is no address with a port", "names are not looked up"},
        {"{ socks5 = @'127.0.0.1:0' }", "is no address with a port", "ADDRESS:PORT"},
        {"{ socks5 = @'127.0.0.1:65536' }", "is no address with a port", "ADDRESS:PORT"},
        {"{ socks5 = @'::1:1080' }", "is no address with a port", "[::1]:1080"},
        {"{ socks5 = @'[::ffff:127.0.0.1]:1080' }", "IPv4 address in IPv6 form", "write 127.0.0.1"},
        {"{ socks5 = '127.0.0.1:1080', user = @'a' }", "\"user\" without \"password_file\"", "file of its own"},
        {"{ socks5 = '127.0.0.1:1080', password_file = @'p' }", "\"password_file\" without \"user\"", "add user"},
        {"{ socks5 = '127.0.0.1:1080', user = @'', password_file = 'p' }", "a user name of 0 bytes", "1 to 255"},
        {"{ socks5 = '127.0.0.1:1080', user = @'" + std::string(256, 'u') + "', password_file = 'p' }",
         "a user name of 256 bytes", "1 to 255"},
        {"{ socks5 = '127.0.0.1:1080', user = 'a', password_file = @'' }", "\"\" cannot be a file", "/etc/natctl"},
        {"{ socks5 = '127.0.0.1:1080', user = 'a', password_file = @\"p\\u0000\" }", "cannot be a file", "/etc/natctl"},
        {"{ socks5 = '127.0.0.1:1080', user = 'a', password_file = @'" + std::string(4096, 'p') + "' }",
         "cannot be a file", "/etc/natctl"},
    };
    for (const auto& [text, message, remedy] : links)
        check_mistake(good_site, {peer_of("'b'", "'198.18.2.0/24'", text), message, remedy});
}

TEST_CASE("numbers that are none") {
    const Mistake mistakes[] = {
        {"tunnel.port = @0\n", "0 is no port", "1 to 65535"},
        {"tunnel.port = @65536\n", "65536 is no port", "1 to 65535"},
        {"tunnel.port = @-1\n", "-1 is no port", "1 to 65535"},
        {"tunnel.redirect_port = @0\n", "0 is no port", "it is 12346 then"},
        {"tunnel.flows = @15\n", "15 is no limit of flows", "from 16 to 1000000"},
        {"tunnel.flows = @1000001\n", "1000001 is no limit of flows", "the limit of open files decides"},
        {"tunnel.embedded_port = @65536\n", "65536 is no port", "it is 12347 then"},
        {"marks.mask = @0\n", "0x0 is no mask", "0x00000f00"},
        {"marks.mask = @0xff00\n", "0xff00 is no mask of four neighbouring bits", "0x00000f00"},
        {"marks.mask = @0x1700\n", "0x1700 is no mask of four neighbouring bits", "0x00000f00"},
        {"marks.mask = @0x1_0000_0f00\n", "0x100000f00 is no mask", "0x00000f00"},
        {"marks.mask = @-3840\n", "-0xf00 is no mask", "0x00000f00"},
    };
    for (const auto& mistake : mistakes) check_mistake("", {mistake.text + good_site, mistake.message, mistake.remedy});
    const auto result = parse_site("tunnel.port = 1\nmarks.mask = 0xf0000000\n" + good_site);
    REQUIRE(result.site);
    CHECK(result.site->tunnel.port == 1);
    CHECK(result.site->marks.mask() == 0xf0000000);
    CHECK(parse_site("tunnel.port = 65535\nmarks.mask = 0xf\n" + good_site).site);
}
