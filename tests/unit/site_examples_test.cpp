// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "nftctl/site/load.h"

using namespace natctl;

namespace {

/// Loads an example; it may warn about 240.0.0.0/4, once, and no more.
Site example(const std::string& name) {
    const auto path = std::string(NATCTL_EXAMPLES) + "/" + name;
    const auto result = load_site(path);
    CAPTURE(render(result.diagnostics, path, result.source));
    REQUIRE(result.site);
    CHECK(result.diagnostics.size() == (result.source.find("\"240.") == std::string::npos ? 0 : 1));
    for (const auto& d : result.diagnostics) CHECK(d.message.find("Windows") != std::string::npos);
    return *result.site;
}

} // namespace

TEST_CASE("example minimal.toml") {
    const auto site = example("minimal.toml");
    CHECK(site.name == "a");
    REQUIRE(site.maps.size() == 1);
    CHECK(site.maps[0].virtual_prefix.text() == "240.1.1.0/24");
    REQUIRE(site.peers.size() == 1);
    CHECK(std::get<DevLink>(site.peers[0].links.at(0)).dev == "wg0");
}

TEST_CASE("example one-96.toml") {
    const auto site = example("one-96.toml");
    REQUIRE(site.embedding_maps.size() == 1);
    CHECK(site.embedding_maps[0].virtual_prefix.text() == "64:ff9b:1:1::/96");
    CHECK(site.embedding_maps[0].real_prefixes.size() == 2);
    CHECK(site.maps.size() == 1);
    CHECK(site.peers.at(0).virtual_prefixes.at(1).text() == "64:ff9b:1:2::/96");
}

TEST_CASE("example intercept.toml") {
    const auto site = example("intercept.toml");
    REQUIRE(site.intercept);
    CHECK(site.intercept->from == std::vector<std::string>{"lan0"});
    CHECK(site.intercept->to.empty());
    CHECK(site.intercept->local);
    CHECK(site.intercept->except_users == std::vector<std::string>{"xray"});
    CHECK(site.white_list.interfaces == std::vector<std::string>{"ppp0"});
    CHECK(site.white_list.private_networks);
}

TEST_CASE("example watched.toml") {
    const auto site = example("watched.toml");
    REQUIRE(site.agent.http.size() == 2);
    CHECK(site.agent.http[1].text() == "/run/natctl/http.sock");
    CHECK(site.agent.page);
}

TEST_CASE("example two-lans.toml") {
    const auto site = example("two-lans.toml");
    CHECK(site.lan == std::vector<std::string>{"lan0", "lan1"});
    REQUIRE(site.maps.size() == 4);
    CHECK(site.maps[2].is_host());
    CHECK(site.maps[2].name == "printer");
    REQUIRE(site.peers.size() == 2);
    const auto& link = std::get<DevLink>(site.peers[0].links.at(0));
    CHECK(link.via4 == Address::parse("198.51.100.2"));
    CHECK(link.via6 == Address::parse("fe80::2"));
    CHECK(site.peers[1].links.size() == 2);
    REQUIRE(site.white_list.prefixes.size() == 1);
}

TEST_CASE("example xray.toml") {
    const auto site = example("xray.toml");
    REQUIRE(site.peers.size() == 2);
    CHECK(std::get<SocksLink>(site.peers[0].links.at(0)).server.text() == "127.0.0.1:1080");
    REQUIRE(site.tunnel.listeners.size() == 2);
    CHECK(site.tunnel.listeners[0].listen.text() == "198.51.100.2:1080");
    CHECK(site.tunnel.listeners[0].allow.at(0).text() == "198.51.100.3/32");
    CHECK(site.tunnel.listeners[1].protocol == ProxyProtocol::http);
    CHECK(site.tunnel.port == 12345);
}

TEST_CASE("example wireguard.toml") {
    const auto site = example("wireguard.toml");
    REQUIRE(site.peers.size() == 1);
    CHECK(std::holds_alternative<DevLink>(site.peers[0].links.at(0)));
    CHECK(std::holds_alternative<SocksLink>(site.peers[0].links.at(1)));
    CHECK(site.marks.mask() == Marks::default_mask);
}
