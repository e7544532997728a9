// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "nftctl/site/secret_files.h"
#include "nftctl/site/xray.h"
#include "tests/unit/site_mistake.h"

using namespace natctl;

namespace {

const std::string local = "{ socks5 = '127.0.0.1:1080' }";
const std::string good_server = "{ server = '203.0.113.2:443', id_file = 'b.id' }";

std::string listener(const std::string& text) { return "[xray]\n" + text + "\n"; }

/// A peer b with that link and that `xray`.
std::string peer(const std::string& link, const std::string& xray) {
    return peer_of("'b'", "'198.18.2.0/24'", link) + "xray = " + xray + "\n";
}
std::string peer(const std::string& xray) { return peer(local, xray); }

const std::string good_peer = peer(good_server);

} // namespace

TEST_CASE("a site that dials and is dialled by Xray") {
    auto result = parse_site(good_site + good_peer + listener("listen = '203.0.113.1:443'\nid_file = 'a.id'"));
    REQUIRE(result.site);
    CHECK(result.diagnostics.empty());
    REQUIRE(result.site->xray);
    CHECK(result.site->xray->listen.text() == "203.0.113.1:443");
    CHECK(result.site->xray->id_file == "a.id");
    CHECK(result.site->xray->at == Position{12, 10});
    CHECK(result.site->xray->id_at == Position{13, 11});
    const auto& xray = result.site->peers.at(0).xray;
    REQUIRE(xray);
    CHECK(xray->host == "203.0.113.2");
    CHECK(xray->port == 443);
    CHECK(xray->id_file == "b.id");
    CHECK(xray->at == Position{10, 19});
    CHECK(xray->id_at == Position{10, 48});

    const auto files = secret_files(*result.site);
    REQUIRE(files.size() == 2);
    CHECK(*files[0].path == "b.id");
    CHECK(files[0].at == xray->id_at);
    CHECK(*files[1].path == "a.id");
    CHECK(std::string(files[1].noun) == "id");
}

TEST_CASE("servers by name and by address") {
    const auto host_of = [](const std::string& server) {
        const auto result = parse_site(good_site + peer("{ server = '" + server + "', id_file = 'b.id' }"));
        REQUIRE(result.site);
        return result.site->peers.at(0).xray->host;
    };
    CHECK(host_of("b.example.net:443") == "b.example.net");
    CHECK(host_of("b:65535") == "b");
    CHECK(host_of("[2001:db8::2]:443") == "2001:db8::2");
}

TEST_CASE("the link to Xray is the first one to a proxy on loopback") {
    const auto result = parse_site(
        good_site +
        peer("[ { dev = 'wg0' }, { socks5 = '203.0.113.9:1' }, { socks5 = '[::1]:2' }, { socks5 = '127.0.0.1:3' } ]",
             good_server) +
        peer_of("'c'", "'198.18.3.0/24'", local));
    REQUIRE(result.site);
    REQUIRE(xray_link(result.site->peers.at(0)) != nullptr);
    CHECK(xray_link(result.site->peers.at(0))->server.text() == "[::1]:2");
    CHECK(xray_link(result.site->peers.at(1)) == nullptr);
}

TEST_CASE("mistakes about Xray") {
    const std::string id = "id_file = 'a.id'";
    const Mistake mistakes[] = {
        {"@[[xray]]\nlisten = '203.0.113.1:443'\n" + id, "\"xray\" is a list, not a table", "[xray]"},
        {"@[xray]\n" + id, "[xray] has no \"listen\"", "198.51.100.2:443"},
        {"@[xray]\nlisten = '203.0.113.1:443'", "[xray] has no \"id_file\"", "xray.id"},
        {listener(id + "\nlisten = @443"), "\"listen\" is an integer, not an address with a port", "198.51.100.2:443"},
        {listener(id + "\nlisten = @'a.example:443'"), "\"a.example:443\" is no address with a port", "ADDRESS:PORT"},
        {listener("listen = '203.0.113.1:443'\nid_file = @''"), "\"\" cannot be a file", ""},
        {listener("listen = '203.0.113.1:443'\n" + id + "\n@ids = 'b'"), "unknown key \"ids\" in [xray]",
         "listen, id_file"},
        {listener(id + "\nlisten = @'203.0.113.1:1080'") + "[[tunnel.socks5]]\nlisten = '0.0.0.0:1080'\nallow = "
                                                           "'203.0.113.2'\n",
         "203.0.113.1:1080 is taken by a listener of the tunnel (line 10)", "ports of their own"},
        {listener(id + "\nlisten = @'127.0.0.1:12345'"), "takes the port of the tunnel itself", "[tunnel] port"},
        {good_peer + listener(id + "\nlisten = @'0.0.0.0:1080'"),
         "0.0.0.0:1080 is where the link to peer b expects Xray's SOCKS inbound (line 9)", "ports of their own"},
        {peer("@'203.0.113.2:443'"), "\"xray\" is text, not a table", "id_file"},
        {peer("@{ id_file = 'b.id' }"), "xray of a peer has no \"server\"", "b.example.net:443"},
        {peer("@{ server = '203.0.113.2:443' }"), "xray of a peer has no \"id_file\"", "b.id"},
        {peer("{ server = @'203.0.113.2', id_file = 'b.id' }"), "\"203.0.113.2\" has no port", "NAME:PORT"},
        {peer("{ server = @'2001:db8::2', id_file = 'b.id' }"), "\"2001:db8::2\" has no port", "[2001:db8::2]:443"},
        {peer("{ server = @'b.example', id_file = 'b.id' }"), "\"b.example\" has no port", "NAME:PORT"},
        {peer("{ server = @'b.example:0', id_file = 'b.id' }"), "no name or address with a port", "NAME:PORT"},
        {peer("{ server = @'b.example:65536', id_file = 'b.id' }"), "no name or address with a port", "NAME:PORT"},
        {peer("{ server = @'b_/:443', id_file = 'b.id' }"), "no name or address with a port", "NAME:PORT"},
        {peer("{ server = @'203.0.113.256:443', id_file = 'b.id' }"), "no name or address with a port", "NAME:PORT"},
        {peer("{ server = @':443', id_file = 'b.id' }"), "no name or address with a port", "NAME:PORT"},
        {peer("{ server = @'[::ffff:203.0.113.2]:443', id_file = 'b.id' }"), "IPv4 address in IPv6 form",
         "203.0.113.2"},
        {peer("{ server = @'198.18.2.1:443', id_file = 'b.id' }"),
         "the server of peer b is in 198.18.2.0/24 of peer b: a loop", "between the sites"},
        {good_peer + "[xray]\nlisten = '203.0.113.1:443'\n" + id + "\n" +
             "[[peer]]\nname = 'c'\nvirtual = '198.18.3.0/24'\nlink = " + local +
             "\nxray = { server = @'203.0.113.1:443', id_file = 'c.id' }\n",
         "the server of peer c is our own (line 12)", "under [xray] of that site"},
        {peer("{ dev = 'wg0' }", "{ server = @'203.0.113.2:443', id_file = 'b.id' }"),
         "peer b has xray, but no link to a proxy of this machine", "127.0.0.1:1080"},
        {peer("{ socks5 = '203.0.113.2:1080' }", "{ server = @'203.0.113.2:443', id_file = 'b.id' }"),
         "peer b has xray, but no link to a proxy of this machine", "127.0.0.1:1080"},
        {peer_of("@'direct'", "'198.18.2.0/24'", local) + "xray = " + good_server + "\n",
         "\"direct\" is the name of an outbound", "another name"},
    };
    for (const auto& mistake : mistakes) check_mistake(good_site, mistake);
    check_mistake(good_site,
                  {good_peer + "[intercept]\nproxy = { socks5 = @'127.0.0.1:1080' }\n",
                   "the proxy 127.0.0.1:1080 is also the link to peer b (line 9)", "a port of its own"},
                  Severity::warning);
}
