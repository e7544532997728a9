// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/check.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/unit/site_mistake.h"

using namespace natctl;

namespace {

const std::string wg = "{ dev = 'wg0' }";
const std::string b_prefix = "'198.18.2.0/24'";
// What good_site has: lan0, virtual 198.18.1.0/24 (line 4), real 192.168.1.0/24 (line 5).
const std::string with_b = good_site + peer_of("'b'", b_prefix, wg); // line 6, its prefix on line 8

std::string listener(const std::string& rest) { return "[[tunnel.socks5]]\n" + rest + "\n"; }
std::string http_listener(const std::string& rest) { return "[[tunnel.http]]\n" + rest + "\n"; }

void check_good(const std::string& text) {
    const auto result = parse_site(text);
    CAPTURE(render(result.diagnostics, "site.toml", text));
    CHECK(result.site);
    CHECK(result.diagnostics.empty());
}

} // namespace

TEST_CASE("own prefixes in each other's way") {
    const Mistake mistakes[] = {
        {map_of("@'198.18.1.0/24'", "'10.0.0.0/24'"), "virtual 198.18.1.0/24 is mapped twice (line 4)", "remove one"},
        {map_of("'198.18.3.1'", "'10.0.0.1'") + map_of("@'198.18.3.1'", "'10.0.0.2'"),
         "virtual 198.18.3.1 is mapped twice (line 7)", "remove one"},
        {map_of("'198.18.3.1'", "'10.0.0.1'") + map_of("'198.18.3.2'", "@'10.0.0.1'"),
         "real 10.0.0.1 has two virtual addresses, 198.18.3.1/32 and 198.18.3.2/32 (line 8)", "only one of them"},
        {map_of("'198.18.3.0/24'", "@'192.168.1.0/24'"), "real 192.168.1.0/24 has two virtual addresses", "only one"},
        {map_of("'198.18.3.0/25'", "@'192.168.1.128/25'"),
         "real 192.168.1.128/25 lies in real 192.168.1.0/24, which is mapped too (line 5)", "do not overlap"},
        {map_of("@'192.168.1.0/25'", "'10.0.0.0/25'"),
         "virtual 192.168.1.0/25 overlaps our own real 192.168.1.0/24 (line 5)", "none that a LAN here uses"},
        {map_of("@'192.168.0.0/16'", "'10.0.0.0/16'"), "virtual 192.168.0.0/16 overlaps our own real 192.168.1.0/24",
         "none that a LAN here uses"},
        {map_of("@'10.0.0.0/24'", "'10.0.0.0/24'"), "virtual 10.0.0.0/24 overlaps our own real 10.0.0.0/24 (line 8)",
         "none that a LAN here uses"},
        {map_of("'fd00:1::/64'", "'fd00:2::/64'") + map_of("@'fd00:1::/64'", "'fd00:3::/64'"),
         "virtual fd00:1::/64 is mapped twice", "remove one"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
    // A wider real prefix that comes later is reported where the narrower one stands.
    check_mistake(site_head + map_of("'198.18.3.0/24'", "@'10.0.1.0/24'") + map_of("'198.19.0.0/16'", "'10.0.0.0/16'"),
                  {"", "real 10.0.1.0/24 lies in real 10.0.0.0/16", "do not overlap"});
}

TEST_CASE("the longest prefix wins, so these are fine") {
    check_good(good_site + map_of("'198.18.1.200'", "'10.10.10.7'"));
    check_good(good_site + map_of("'198.18.1.200'", "'192.168.1.7'"));
    check_good(good_site + map_of("'198.18.1.128/25'", "'10.10.10.128/25'"));
    check_good(good_site + map_of("'198.18.3.0/24'", "'10.10.10.0/24'") + map_of("'198.18.1.1'", "'10.10.10.1'"));
    check_good(good_site + map_of("'fd00:1::/64'", "'fd00:2::/64'") + map_of("'fd00:1::5'", "'fd00:9::5'"));
}

TEST_CASE("peers in the way") {
    const Mistake mistakes[] = {
        {peer_of("'c'", "@'198.18.1.0/24'", wg),
         "198.18.1.0/24 of peer c overlaps our own virtual 198.18.1.0/24 (line 4)", "virtual prefixes of its own"},
        {peer_of("'c'", "@'198.18.1.7'", wg), "198.18.1.7 of peer c overlaps our own virtual 198.18.1.0/24",
         "of its own"},
        {peer_of("'c'", "@'198.18.0.0/23'", wg), "198.18.0.0/23 of peer c overlaps our own virtual", "of its own"},
        {peer_of("'c'", "['198.18.3.0/24', @'192.168.1.0/24']", wg),
         "192.168.1.0/24 of peer c overlaps our own real 192.168.1.0/24 (line 5)", "no LAN uses"},
        {peer_of("'c'", "@'192.168.0.0/16'", wg), "overlaps our own real 192.168.1.0/24", "no LAN uses"},
        {peer_of("'c'", "@'198.18.2.0/24'", wg), "198.18.2.0/24 overlaps 198.18.2.0/24 of peer b (line 8)",
         "those that the peer itself maps"},
        {peer_of("'c'", "@'198.18.2.128/25'", wg), "198.18.2.128/25 overlaps 198.18.2.0/24 of peer b (line 8)",
         "of its own"},
        {peer_of("'c'", "['198.18.4.0/23', @'198.18.5.0/24']", wg),
         "198.18.5.0/24 lies in 198.18.4.0/23 of the same peer", "leave it out"},
        {peer_of("@'b'", "'198.18.3.0/24'", wg), "a second peer b (line 7)", "one [[peer]]"},
        {peer_of("@'a'", "'198.18.3.0/24'", wg), "peer a has the name of this site", "name the other site"},
    };
    for (const auto& mistake : mistakes) check_mistake(with_b, mistake);
    check_good(with_b + peer_of("'c'", "['198.18.3.0/24', '198.18.4.0/24', 'fd00:3::/64']", wg));
}

TEST_CASE("hosts of one name") {
    check_mistake(good_site, {map_of("'198.18.3.1'", "'10.0.0.1'") + "name = 'printer'\n@" +
                                  map_of("'198.18.3.2'", "'10.0.0.2'") + "name = 'printer'\n",
                              "a second host \"printer\" (line 6)", "a name of its own"});
}

TEST_CASE("addresses that mean something else") {
    struct Range {
        std::string prefix;
        std::string name;
    };
    for (const auto& [prefix, name] : {Range{"0.0.0.0/24", "unspecified"},
                                       {"127.0.0.0/24", "loopback"},
                                       {"127.1.2.3", "loopback"},
                                       {"169.254.7.0/24", "link-local"},
                                       {"224.0.0.0/24", "multicast"},
                                       {"239.1.2.3", "multicast"},
                                       {"255.255.255.0/24", "broadcast"},
                                       {"::", "unspecified"},
                                       {"::1", "loopback"},
                                       {"fe80::/64", "link-local"},
                                       {"ff02::/64", "multicast"}}) {
        const bool v4 = prefix.find(':') == std::string::npos;
        const std::string length = prefix.find('/') == std::string::npos ? "" : prefix.substr(prefix.find('/'));
        const std::string other = (v4 ? "198.18.4.0" : "fd00:4::") + length;
        const auto value = "@'" + prefix + "'";
        check_mistake(good_site,
                      {map_of(value, "'" + other + "'"), name + " addresses", "such as one of 198.18.0.0/15"});
        check_mistake(good_site, {map_of("'" + other + "'", value), name + " addresses", "the prefix of a LAN"});
        check_mistake(good_site, {peer_of("'b'", value, wg), name + " addresses", "such as one of 198.18.0.0/15"});
    }
    // Whoever covers one of them is no better.
    for (const std::string prefix : {"0.0.0.0/0", "126.0.0.0/7", "::/0", "::/64", "::/80"})
        check_mistake(site_head, {peer_of("'b'", "@'" + prefix + "'", wg), "addresses", "such as one of"});
}

TEST_CASE("servers and gateways") {
    const auto link = [](const std::string& value) { return peer_of("'b'", b_prefix, value); };
    const Mistake mistakes[] = {
        {link("{ socks5 = @'198.18.2.1:1080' }"), "server 198.18.2.1 lies in 198.18.2.0/24 of peer b (line 8): a loop",
         "without natctl"},
        {link("{ socks5 = @'198.18.1.1:1080' }"),
         "server 198.18.1.1 lies in our own virtual 198.18.1.0/24 (line 4): a loop", "without natctl"},
        {link("{ dev = 'eth1', via = @'198.18.2.1' }"), "gateway 198.18.2.1 lies in 198.18.2.0/24 of peer b",
         "without natctl"},
        {link("[{ dev = 'eth1', via = @'198.18.1.1' }]"), "gateway 198.18.1.1 lies in our own virtual",
         "without natctl"},
        {link("{ socks5 = @'0.0.0.0:1080' }"), "unspecified addresses (0.0.0.0/8) cannot be a server's", "of its own"},
        {link("{ socks5 = @'[::]:1080' }"), "unspecified addresses (::/128) cannot be a server's", "of its own"},
        {link("{ socks5 = @'224.0.0.1:1080' }"), "multicast addresses", "of its own"},
        {link("{ socks5 = @'[fe80::1]:1080' }"), "link-local addresses", "of its own"},
        {link("{ dev = 'eth1', via = @'127.0.0.1' }"), "loopback addresses (127.0.0.0/8) cannot be a gateway's",
         "of its own"},
        {link("{ dev = @'lan0' }"), "lan0 leads to peer b and is a LAN (line 2)", "take it out of lan"},
        {link("{ dev = @'lo' }"), "no peer is reached by lo", "the interface that leads to the peer"},
        {peer_of("'b'", "['198.18.2.0/24', 'fd00:2::/64']", "{ dev = @'eth1', via = '203.0.113.2' }"),
         "no gateway on eth1 for fd00:2::/64", "via = [\"203.0.113.2\", \"2001:db8::2\"]"},
        {peer_of("'b'", "['fd00:2::/64', '198.18.2.0/24']", "{ dev = @'eth1', via = 'fe80::2' }"),
         "no gateway on eth1 for 198.18.2.0/24", "via = [\"fe80::2\", \"198.51.100.2\"]"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
    check_mistake("", {"site = 'a'\nlan = ['lan0', @'lan0']\n" + one_map, "LAN lan0 is named twice", "once"});
    check_mistake("", {"site = 'a'\nlan = @'lo'\n" + one_map, "lo is no LAN", "interfaces that the hosts are on"});
    check_good(good_site + peer_of("'b'", "['198.18.2.0/24', 'fd00:2::/64']",
                                   "[{ dev = 'wg0' }, { dev = 'eth1', via = ['203.0.113.2', 'fe80::2'] }, "
                                   "{ socks5 = '127.0.0.1:1080' }, { socks5 = '[::1]:1080' }, "
                                   "{ socks5 = '192.168.1.9:1080' }]"));
}

TEST_CASE("white list") {
    const Mistake mistakes[] = {
        {"@'198.18.2.0/24'", "198.18.2.0/24 on the white list hides 198.18.2.0/24 of peer b", "leave this out"},
        {"@'198.18.2.7'", "198.18.2.7 on the white list hides 198.18.2.0/24 of peer b", "leave this out"},
        {"['203.0.113.0/24', @'198.18.0.0/23']", "198.18.0.0/23 on the white list hides our own virtual 198.18.1.0/24",
         "leave this out"},
    };
    for (const auto& [value, message, remedy] : mistakes)
        check_mistake("", {"white_list = " + value + "\n" + with_b, message, remedy});
    // Real prefixes may be there: they are what the white list is for.
    check_good("white_list = ['10.0.0.0/8', '192.168.0.0/16', '10.0.0.0/8', '127.0.0.0/8', '203.0.113.7']\n" + with_b);
    check_good("white_list = []\n" + with_b);
}

TEST_CASE("listeners") {
    const Mistake mistakes[] = {
        {"listen = @'203.0.113.2:1080'", "anybody could use the proxy on 203.0.113.2:1080", "allow = ["},
        {"listen = @'0.0.0.0:1080'", "anybody could use the proxy on 0.0.0.0:1080", "user and password_file"},
        {"listen = @'[::]:1080'", "anybody could use the proxy on [::]:1080", "listen on 127.0.0.1"},
        {"listen = '203.0.113.2:1080'\nallow = ['203.0.113.1', @'0.0.0.0/0']",
         "0.0.0.0/0 without a password is an open proxy", "addresses of the peers alone"},
        {"listen = '203.0.113.2:1080'\nallow = @'::/0'", "::/0 without a password is an open proxy",
         "user and password_file"},
        {"listen = '203.0.113.2:1080'\nallow = @'128.0.0.0/1'", "open proxy", "user and password_file"},
        {"listen = '203.0.113.2:1080'\nallow = @'2000::/3'", "open proxy", "user and password_file"},
        {"listen = '127.0.0.1:1080'\n[[tunnel.socks5]]\nlisten = @'127.0.0.1:1080'",
         "a second listener on 127.0.0.1:1080 (line 7)", "of its own"},
        {"listen = '0.0.0.0:1080'\nallow = '10.0.0.1'\n[[tunnel.socks5]]\nlisten = @'127.0.0.1:1080'",
         "a second listener on 127.0.0.1:1080 (line 7)", "of its own"},
        {"listen = '127.0.0.1:1080'\n[[tunnel.socks5]]\nlisten = @'0.0.0.0:1080'\nallow = '10.0.0.1'",
         "a second listener on 0.0.0.0:1080 (line 7)", "of its own"},
        {"listen = @'127.0.0.1:12345'", "127.0.0.1:12345 takes the port of the tunnel itself", "another port"},
        {"listen = @'[::1]:12345'", "[::1]:12345 takes the port of the tunnel itself", "another port"},
        {"listen = @'0.0.0.0:12345'\nallow = '10.0.0.1'", "takes the port of the tunnel itself", "another port"},
        {"listen = @'198.18.1.1:1080'\nallow = '10.0.0.1'",
         "no interface has the address 198.18.1.1: it lies in our own virtual", "that this router has"},
        {"listen = @'224.0.0.1:1080'\nallow = '10.0.0.1'", "multicast addresses (224.0.0.0/4) cannot be listened on",
         "of its own"},
        {"listen = @'[fe80::1]:1080'\nallow = 'fe80::2'", "link-local addresses", "of its own"},
        {"listen = '203.0.113.2:1080'\nuser = @'a'", "\"user\" without \"password_file\"", "file of its own"},
        {"listen = '203.0.113.2:1080'\npassword_file = @'p'", "\"password_file\" without \"user\"", "add user"},
    };
    for (const auto& [text, message, remedy] : mistakes) {
        check_mistake(good_site, {listener(text), message, remedy});
        check_mistake(good_site, {http_listener(text), message, remedy});
    }

    const std::string password = "\nuser = 'a'\npassword_file = '/etc/natctl/a.password'";
    check_good(good_site + listener("listen = '127.0.0.1:1080'"));
    check_good(good_site + listener("listen = '[::1]:1080'") + listener("listen = '127.0.0.1:1080'"));
    check_good(good_site + listener("listen = '127.0.0.2:12345'"));
    check_good(good_site + listener("listen = '203.0.113.2:1080'\nallow = ['203.0.113.1/32', 'fd00:9::/64']"));
    check_good(good_site + listener("listen = '0.0.0.0:1080'\nallow = '10.0.0.0/8'"));
    check_good(good_site + listener("listen = '0.0.0.0:1080'\nallow = '0.0.0.0/0'" + password));
    check_good(good_site + listener("listen = '203.0.113.2:1080'" + password));
    check_good(good_site + listener("listen = '203.0.113.2:1080'" + password + "\nto = ['203.0.113.0/24']"));
    check_good(good_site + listener("listen = '203.0.113.2:1080'" + password) +
               listener("listen = '203.0.113.3:1080'" + password));
    check_good(good_site + http_listener("listen = '127.0.0.1:8080'") + listener("listen = '127.0.0.1:1080'"));
    check_good(good_site + http_listener("listen = '0.0.0.0:8080'\nallow = '0.0.0.0/0'" + password));
    check_good(good_site + listener("listen = '127.0.0.1:1080'\nuser = 'a:b'\npassword_file = '/p'"));
    check_mistake(good_site, {http_listener("listen = '127.0.0.1:8080'\nuser = @'a:b'\npassword_file = '/p'"),
                              "a user of an HTTP proxy has no colon", "another name"});
    check_mistake(good_site, {http_listener("listen = '127.0.0.1:1080'") + listener("listen = @'127.0.0.1:1080'"),
                              "a second listener on 127.0.0.1:1080 (line 7)", "of its own"});
}

TEST_CASE("the ports of the tunnel itself") {
    const std::string redirecting =
        good_site + "[intercept]\nby = 'redirect'\nprotocols = 'tcp'\nproxy = { socks5 = '127.0.0.1:1080' }\n";
    const std::string embedding = good_site + map_of("'64:ff9b:1:1::/96'", "'192.168.1.0/24'");
    const std::string everywhere = "listen = @'0.0.0.0:12346'\nallow = '10.0.0.1'";
    check_mistake(redirecting, {listener(everywhere), "takes the port of the tunnel itself", "redirect_port"});
    check_mistake(redirecting, {http_listener("listen = @'127.0.0.1:12346'"), "port of the tunnel", "redirect_port"});
    check_mistake(embedding, {listener("listen = @'[::1]:12347'"), "port of the tunnel itself", "embedded_port"});
    check_mistake(embedding, {http_listener("listen = @'[::]:12347'\nallow = '10.0.0.1'"), "itself", "embedded_port"});
    // What is not in use is free, and so are other addresses.
    check_good(good_site + listener("listen = '127.0.0.1:12346'") + listener("listen = '[::1]:12347'"));
    check_good(embedding + listener("listen = '127.0.0.1:12347'"));
    check_mistake(good_site,
                  {"[tunnel]\nport = 7\nredirect_port = @7\n", "\"redirect_port\" and \"port\" are both 7", "its own"});
    check_mistake(good_site, {"[tunnel]\nport = 7\nredirect_port = @9\n",
                              "\"redirect_port\" and \"embedded_port\" are both 9", "its own"});
    check_good(good_site + "[tunnel]\nport = 65535\n");
}

TEST_CASE("a link back to ourselves is a loop") {
    const auto link = [](const std::string& server) {
        return peer_of("'b'", b_prefix, "{ socks5 = @'" + server + "' }");
    };
    const Mistake mistakes[] = {
        {link("127.0.0.1:1080") + listener("listen = '127.0.0.1:1080'"), "leads to our own listener (line 11): a loop",
         "Xray"},
        {link("127.0.0.1:1080") + listener("listen = '0.0.0.0:1080'\nallow = '10.0.0.1'"), "our own listener", "Xray"},
        {link("[::1]:1080") + listener("listen = '[::]:1080'\nallow = '10.0.0.1'"), "our own listener", "Xray"},
        {link("203.0.113.2:80") + listener("listen = '203.0.113.2:80'\nallow = '10.0.0.1'"), "our own listener",
         "Xray"},
        {link("127.0.0.1:12345"), "leads to the tunnel itself: a loop", "[tunnel] port"},
        {link("[::1]:12345"), "leads to the tunnel itself: a loop", "[tunnel] port"},
        {link("127.0.0.1:7") + "[tunnel]\nport = 7\n", "leads to the tunnel itself: a loop", "[tunnel] port"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
    check_good(good_site + peer_of("'b'", b_prefix, "{ socks5 = '203.0.113.9:12345' }"));
}

TEST_CASE("warnings, one of a kind") {
    const Mistake mistakes[] = {
        {map_of("@'240.1.1.0/24'", "'10.1.0.0/24'") + map_of("'240.1.2.0/24'", "'10.2.0.0/24'") +
             peer_of("'b'", "'240.2.2.0/24'", wg),
         "240.1.1.0/24 is virtual here: Windows hosts refuse", "198.18.0.0/15; 100.64.0.0/10 is used by carriers"},
        {peer_of("'b'", "@'240.2.2.0/24'", wg), "240.2.2.0/24 is virtual here: Windows hosts refuse", "198.18.0.0/15"},
        {map_of("@'100.64.1.0/24'", "'10.1.0.0/24'") + peer_of("'b'", "'100.127.0.0/16'", wg),
         "100.64.0.0/10 is used by carriers' NAT and by Tailscale", "198.18.0.0/15"},
        {peer_of("'b'", "@'64:ff9b:2222::/96'", wg), "only 64:ff9b:1::/48 is set aside", "64:ff9b:1:1::/96"},
        {map_of("@'64:ff9b::/96'", "'fd00:5::/96'"), "64:ff9b::/96 is virtual here: only 64:ff9b:1::/48",
         "fd00:1::/64"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake, Severity::warning);
    check_mistake("", {"@" + site_head, "no [[map]]", "add [[map]]"}, Severity::warning);
    check_good(good_site + peer_of("'b'", "['64:ff9b:1:1::/96', '198.19.0.0/16', 'fd00:1::/64']", wg));
    check_good(good_site + map_of("'198.18.3.0/24'", "'100.64.0.0/24'") + map_of("'198.18.4.0/24'", "'240.0.0.0/24'"));
}

TEST_CASE("several mistakes in one run, by position") {
    const std::string text = R"(sit  = "a"
lan  = ["lan0", 7]
white_list = ["203.0.113.7", "nonsense"]

[[map]]
virtual = "198.18.1.0/33"
real    = "192.168.1.0/24"

[[map]]
virtual = "198.18.2.1/24"
real    = "10.10.0.0/16"

[[peer]]
name    = "b"
virtual = "198.18.2.0/24"
link    = [{ dev = "wg0", vai = "203.0.113.2" }, { socks5 = "127.0.0.1" }]

[tunnel]
port = "80"
)";
    const auto result = parse_site(text);
    CHECK(!result.site);
    std::string places;
    for (const auto& d : result.diagnostics)
        places +=
            std::to_string(d.at.line) + ":" + std::to_string(d.at.column) + (d.severity == Severity::note ? "n " : " ");
    CHECK(places == "1:1 2:17 3:30 6:11 10:11n 11:11 16:27 16:61 19:8 ");
}

TEST_CASE("mistakes between parts show beside mistakes within parts") {
    const auto result = parse_site("tunel = 1\n" + good_site + one_map);
    REQUIRE(result.diagnostics.size() == 3);
    CHECK(result.diagnostics[0].message == "unknown key \"tunel\" in site.toml");
    CHECK(result.diagnostics[1].message == "virtual 198.18.1.0/24 is mapped twice (line 5)");
    CHECK(result.diagnostics[2].message ==
          "real 192.168.1.0/24 has two virtual addresses, 198.18.1.0/24 and 198.18.1.0/24 (line 6)");
}

TEST_CASE("a Site made by a program has no positions") {
    Site site{.name = "a", .lan = {"lan0"}};
    const auto prefix = *Prefix::parse("198.18.1.0/24");
    site.maps = {{prefix, *Prefix::parse("10.0.0.0/24")}, {prefix, *Prefix::parse("10.0.1.0/24")}};
    site.peers = {{.name = "b", .virtual_prefixes = {prefix}, .links = {DevLink{.dev = "lan0"}}}};
    site.white_list.prefixes = {prefix};
    Diagnostics diagnostics;
    check_site(site, diagnostics);
    CHECK(diagnostics.errors() == 5);
    const auto list = diagnostics.take();
    const auto text = render(list, "site.toml", "");
    CHECK(text.find("site.toml: error: virtual 198.18.1.0/24 is mapped twice\n  = help: ") != std::string::npos);
}

TEST_CASE("hosts by the hundred thousand are checked by sorting") {
    constexpr std::uint32_t count = 131072;
    Site site{.name = "a", .lan = {"lan0"}};
    for (std::uint32_t i = 0; i < count; ++i)
        site.maps.push_back({Prefix(Address::v4(0xac100000 + i), 32), Prefix(Address::v4(0x0a000000 + i), 32)});
    site.peers = {{.name = "b", .virtual_prefixes = {*Prefix::parse("198.18.0.0/15")}, .links = {DevLink{"wg0"}}}};
    Diagnostics good;
    check_site(site, good);
    CHECK(good.errors() == 0);
}

TEST_CASE("each entry is reported once, however many are in its way") {
    constexpr std::uint32_t count = 10000;
    Site site{.name = "a", .lan = {"lan0"}};
    for (std::uint32_t i = 0; i < 2 * count; ++i)
        site.maps.push_back(
            {Prefix(Address::v4(0xac100000 + i % count), 32), Prefix(Address::v4(0x0a000000 + i % count), 32)});
    site.peers = {{.name = "b", .virtual_prefixes = {*Prefix::parse("172.16.0.0/12")}, .links = {DevLink{"wg0"}}}};
    Diagnostics diagnostics;
    check_site(site, diagnostics);
    // Each virtual and each real address once, and the peer.
    CHECK(diagnostics.errors() == 2 * count + 1);
}
