// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/parse.h"

#include <string>
#include <variant>

#include <doctest/doctest.h>

using namespace natctl;

namespace {

Site parsed(const std::string& text) {
    const auto result = parse_site(text);
    CAPTURE(render(result.diagnostics, "site.toml", text));
    REQUIRE(result.site);
    return *result.site;
}

} // namespace

TEST_CASE("site a of two colliding sites") {
    const auto site = parsed(R"(
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
    CHECK(site.name == "a");
    CHECK(site.lan == std::vector<std::string>{"lan0"});
    REQUIRE(site.maps.size() == 1);
    CHECK(site.maps[0].virtual_prefix.text() == "240.1.1.0/24");
    CHECK(site.maps[0].real_prefix.text() == "192.168.1.0/24");
    CHECK(site.maps[0].name.empty());
    REQUIRE(site.peers.size() == 1);
    const auto& peer = site.peers[0];
    CHECK(peer.name == "b");
    REQUIRE(peer.virtual_prefixes.size() == 2);
    CHECK(peer.virtual_prefixes[0].text() == "240.2.2.0/24");
    CHECK(peer.virtual_prefixes[1].text() == "64:ff9b:2222::/96");
    REQUIRE(peer.links.size() == 1);
    const auto& link = std::get<SocksLink>(peer.links[0]);
    CHECK(link.server.text() == "127.0.0.1:1080");
    CHECK(!link.credentials);
    CHECK(site.white_list.prefixes.empty());
    CHECK(site.tunnel.port == 12345);
    CHECK(site.tunnel.listeners.empty());
    CHECK(site.marks == Marks());
}

TEST_CASE("router addresses with their length are taken as the prefix, with a note") {
    const auto result = parse_site(R"(
site = "a"
lan  = "lan0"
[[map]]
virtual = "198.18.1.1/24"
real    = "192.168.1.1/24"
[[map]]
virtual = "fd00:1::1/64"
real    = "fd00:2:0::0:0/64"
)");
    REQUIRE(result.site);
    CHECK(result.site->maps[0].virtual_prefix.text() == "198.18.1.0/24");
    CHECK(result.site->maps[0].real_prefix.text() == "192.168.1.0/24");
    CHECK(result.site->maps[1].virtual_prefix.text() == "fd00:1::/64");
    REQUIRE(result.diagnostics.size() == 3);
    for (const auto& d : result.diagnostics) CHECK(d.severity == Severity::note);
    CHECK(result.diagnostics[0].at == Position{5, 11});
    CHECK(result.diagnostics[0].message == "\"198.18.1.1/24\" is taken as 198.18.1.0/24");
    CHECK(result.diagnostics[2].message == "\"fd00:1::1/64\" is taken as fd00:1::/64");
}

TEST_CASE("everything that can be written") {
    const auto site = parsed(R"(
white_list = ["203.0.113.7", "fd00:99::/48"]
lan        = ["lan0", "br-lan.20"]
site       = "site-A_1.example"
map        = [ { virtual = "198.18.1.0/24", real = "192.168.1.0/24" } ]
marks.mask = 0xf000

[[peer]]
name    = "b"
virtual = "198.18.2.0/24"
link    = [
  { dev = "wg0" },
  { dev = "eth1", via = "203.0.113.2" },
  { socks5 = "[2001:db8::1]:1080", user = "ä", password_file = "b.password" },
]

[[peer]]
name    = "c"
virtual = ["198.18.3.0/24", "fd00:3::/64", "198.18.4.9"]
link    = { dev = "eth1", via = ["fe80::3", "203.0.113.3"] }

[tunnel]
port = 7000

[[tunnel.socks5]]
listen        = "0.0.0.0:1080"
allow         = ["203.0.113.2", "fd00:9::/64"]
user          = "a"
password_file = "/etc/natctl/a.password"
to            = ["203.0.113.0/24"]

[[tunnel.socks5]]
listen = "127.0.0.1:1081"
to     = "0.0.0.0/0"

[[tunnel.http]]
listen        = "203.0.113.1:8080"
allow         = "203.0.113.2"
user          = "b"
password_file = "/etc/natctl/b.password"
to            = "203.0.113.0/24"
)");
    CHECK(site.name == "site-A_1.example");
    CHECK(site.lan == std::vector<std::string>{"lan0", "br-lan.20"});
    REQUIRE(site.maps.size() == 1);
    CHECK(!site.maps[0].is_host());
    CHECK(site.marks.mask() == 0xf000);
    REQUIRE(site.white_list.prefixes.size() == 2);
    CHECK(site.white_list.prefixes[0].text() == "203.0.113.7/32");
    CHECK(site.white_list.prefix_at.at(1) == Position{2, 30});

    REQUIRE(site.peers.size() == 2);
    const auto& b = site.peers[0];
    REQUIRE(b.links.size() == 3);
    CHECK(std::get<DevLink>(b.links[0]).dev == "wg0");
    CHECK(!std::get<DevLink>(b.links[0]).via4);
    CHECK(std::get<DevLink>(b.links[1]).via4 == Address::parse("203.0.113.2"));
    CHECK(!std::get<DevLink>(b.links[1]).via6);
    const auto& socks = std::get<SocksLink>(b.links[2]);
    CHECK(socks.server.text() == "[2001:db8::1]:1080");
    REQUIRE(socks.credentials);
    CHECK(socks.credentials->user == "\xc3\xa4");
    CHECK(socks.credentials->password_file == "b.password");
    const auto& c = site.peers[1];
    CHECK(c.virtual_prefixes.at(2).text() == "198.18.4.9/32");
    CHECK(c.virtual_at.at(1) == Position{19, 29});
    const auto& both = std::get<DevLink>(c.links.at(0));
    CHECK(both.via4 == Address::parse("203.0.113.3"));
    CHECK(both.via6 == Address::parse("fe80::3"));

    CHECK(site.tunnel.port == 7000);
    REQUIRE(site.tunnel.listeners.size() == 3);
    const auto& open = site.tunnel.listeners[0];
    CHECK(open.listen.text() == "0.0.0.0:1080");
    REQUIRE(open.allow.size() == 2);
    CHECK(open.allow[1].text() == "fd00:9::/64");
    REQUIRE(open.credentials);
    CHECK(open.credentials->user == "a");
    CHECK(open.to.at(0).text() == "203.0.113.0/24");
    const auto& local = site.tunnel.listeners[1];
    CHECK(local.allow.empty());
    CHECK(!local.credentials);
    CHECK(local.to.at(0).text() == "0.0.0.0/0");
    CHECK(local.protocol == ProxyProtocol::socks5);
    const auto& http = site.tunnel.listeners[2];
    CHECK(http.protocol == ProxyProtocol::http);
    CHECK(http.listen.text() == "203.0.113.1:8080");
    CHECK(http.allow.at(0).text() == "203.0.113.2/32");
    REQUIRE(http.credentials);
    CHECK(http.credentials->user == "b");
    CHECK(http.to.at(0).text() == "203.0.113.0/24");
}

TEST_CASE("the file may have a byte order mark and Windows line ends") {
    const auto site = parsed("\xef\xbb\xbfsite = \"a\"\r\nlan = \"lan0\"\r\n[[map]]\r\nvirtual = \"198.18.1.0/24\"\r\n"
                             "real = \"192.168.1.0/24\"\r\n");
    CHECK(site.name == "a");
    CHECK(site.maps.at(0).real_at == Position{5, 8});
}

TEST_CASE("any text will do") {
    CHECK(!parse_site("").site);
    CHECK(!parse_site(std::string_view("\0", 1)).site);
    for (const char* piece : {"a.", "[", "{a=", "[[a]]\n", "\"", "'''", "\\", "\xc2", "[.", "[[\n", "[#", "[a.b]\n",
                              "a=[", "\r", "x={y={"}) {
        std::string text;
        while (text.size() < 100000) text += piece;
        const auto result = parse_site(text);
        CHECK(!result.site);
        CHECK(!result.diagnostics.empty());
        CHECK(!render(result.diagnostics, "f", text).empty());
    }
}
