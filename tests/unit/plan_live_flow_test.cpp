// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <doctest/doctest.h>

#include "nftctl/plan/live_flow.h"

using namespace natctl;

namespace {

Address at(const char* text) { return Address::parse(text).value(); }

Site site_a() {
    Site site;
    site.name = "a";
    site.maps = {{*Prefix::parse("240.1.1.0/24"), *Prefix::parse("192.168.1.0/24"), {}, {}},
                 {*Prefix::parse("240.1.1.200"), *Prefix::parse("10.10.10.7"), "printer", {}}};
    site.embedding_maps = {
        {.virtual_prefix = *Prefix::parse("64:ff9b:1111::/96"), .real_prefixes = {*Prefix::parse("192.168.1.0/24")}}};
    site.peers = {{.name = "b",
                   .virtual_prefixes = {*Prefix::parse("240.2.2.0/24"), *Prefix::parse("64:ff9b:2222::/96")},
                   .links = {DevLink{.dev = "ov0"}}},
                  {.name = "c",
                   .virtual_prefixes = {*Prefix::parse("240.3.3.0/24")},
                   .links = {SocksLink{.server = *Endpoint::parse("127.0.0.1:1080")}}}};
    return site;
}

Connection connection(const char* source, const char* called, const char* reached, const char* shown,
                      std::uint32_t mark = 0) {
    Connection made;
    made.original = {at(source), at(called), 40000, 80};
    made.reply = {at(reached), at(shown), 80, 40000};
    made.protocol = 6;
    made.mark = mark;
    if (made.original.destination != made.reply.source) made.status |= connection_dnat;
    return made;
}

LiveFlow flow_of(const Connection& made) {
    static const Site site = site_a();
    const LiveFlows flows(site);
    const auto filters = flows.filters();
    CHECK(std::ranges::any_of(filters, [&](const ConnectionFilter& filter) { return filter.matches(made); }));
    const auto flow = flows.read(made);
    REQUIRE(flow);
    return *flow;
}

constexpr std::uint32_t link = 0x400;
constexpr std::uint32_t tunnel = 0x100;

} // namespace

TEST_CASE("a flow to a peer by link: this host's real and virtual address") {
    const auto flow = flow_of(connection("192.168.1.20", "240.2.2.20", "240.2.2.20", "240.1.1.20", link));
    CHECK(flow.began == Began::here);
    CHECK(flow.path == FlowPath::link);
    CHECK(flow.real == at("192.168.1.20"));
    CHECK(flow.virtual_address == at("240.1.1.20"));
    CHECK(flow.far == at("240.2.2.20"));
    CHECK(flow.peer == "b");
    CHECK(flow.port() == 40000);
    CHECK(flow.far_port() == 80);
    CHECK(flow.name.empty());
}

TEST_CASE("a flow from a peer to a host with a name") {
    const auto flow = flow_of(connection("240.3.3.20", "240.1.1.200", "10.10.10.7", "240.3.3.20", link));
    CHECK(flow.began == Began::there);
    CHECK(flow.real == at("10.10.10.7"));
    CHECK(flow.virtual_address == at("240.1.1.200"));
    CHECK(flow.name == "printer");
    CHECK(flow.far == at("240.3.3.20"));
    CHECK(flow.peer == "c");
    CHECK(flow.port() == 80);
    CHECK(flow.far_port() == 40000);
}

TEST_CASE("by the tunnel the far end sees a proxy, and IPv6 names carry a real address") {
    const auto out = flow_of(connection("192.168.1.20", "240.3.3.20", "240.3.3.20", "192.168.1.20", tunnel));
    CHECK(out.path == FlowPath::tunnel);
    CHECK_FALSE(out.virtual_address);
    CHECK(out.peer == "c");

    const auto in = flow_of(connection("64:ff9b:2222::c0a8:114", "64:ff9b:1111::c0a8:114", "64:ff9b:1111::c0a8:114",
                                       "64:ff9b:2222::c0a8:114", tunnel));
    CHECK(in.real == at("192.168.1.20"));
    CHECK(in.peer == "b");
    CHECK(in.path == FlowPath::tunnel);
}

TEST_CASE("transit between peers, and inside the site") {
    const auto transit = flow_of(connection("240.3.3.20", "240.2.2.20", "240.2.2.20", "240.3.3.20", link));
    CHECK(transit.began == Began::transit);
    CHECK(transit.peer == "b");

    const auto inside = flow_of(connection("192.168.1.20", "240.1.1.200", "10.10.10.7", "240.1.1.20"));
    CHECK(inside.began == Began::inside);
    CHECK(inside.path == FlowPath::inside);
    CHECK(inside.far == at("192.168.1.20"));
    CHECK(inside.peer.empty());
}

TEST_CASE("what is none of ours is not shown") {
    const Site site = site_a();
    const LiveFlows flows(site);
    CHECK_FALSE(flows.read(connection("192.168.1.20", "198.51.100.66", "198.51.100.66", "198.51.100.1")));
    CHECK_FALSE(flows.read(connection("198.51.100.66", "198.51.100.1", "192.168.1.20", "198.51.100.66")));
    CHECK_FALSE(flows.read(connection("192.168.1.20", "198.51.100.66", "198.51.100.66", "192.168.1.20", tunnel)));
}

TEST_CASE("a peer's prefixes may lie in one another, beside those of other peers") {
    auto site = site_a();
    site.peers.front().virtual_prefixes = {*Prefix::parse("240.2.0.0/16"), *Prefix::parse("240.2.2.0/24")};
    site.peers.push_back({.name = "d", .virtual_prefixes = {*Prefix::parse("240.1.255.0/24")}});
    const LiveFlows flows(site);
    const auto peer_at = [&](const char* far) {
        const auto flow = flows.read(connection("192.168.1.20", far, far, "240.1.1.20", link));
        return flow ? flow->peer : "none";
    };
    for (const char* far : {"240.2.0.0", "240.2.2.20", "240.2.3.1", "240.2.255.255"}) CHECK(peer_at(far) == "b");
    CHECK(peer_at("240.3.3.255") == "c");
    CHECK(peer_at("240.1.255.1") == "d");
    for (const char* far : {"240.1.254.1", "240.3.2.255", "240.3.4.0", "255.255.255.255"})
        CHECK(peer_at(far) == "none");
}

TEST_CASE("flows are selected by peer, host, protocol and port, all together") {
    const auto flow = flow_of(connection("240.2.2.20", "240.1.1.200", "10.10.10.7", "240.2.2.20", link));
    CHECK(FlowSelection{}.matches(flow));
    CHECK(FlowSelection{.peer = "b"}.matches(flow));
    CHECK_FALSE(FlowSelection{.peer = "c"}.matches(flow));
    for (const char* host : {"printer", "10.10.10.7", "240.1.1.200", "240.2.2.20"})
        CHECK(FlowSelection{.host = host}.matches(flow));
    for (const char* host : {"scanner", "10.10.10.8", "printer2"})
        CHECK_FALSE(FlowSelection{.host = host}.matches(flow));
    CHECK(FlowSelection{.port = 80}.matches(flow));
    CHECK(FlowSelection{.port = 40000}.matches(flow));
    CHECK_FALSE(FlowSelection{.port = 81}.matches(flow));
    CHECK_FALSE(FlowSelection{.peer = "b", .protocol = 17}.matches(flow));
    CHECK(FlowSelection{.peer = "b", .host = "printer", .protocol = 6, .port = 80}.matches(flow));
}

TEST_CASE("protocols by name and number") {
    CHECK(protocol_name(6) == "tcp");
    CHECK(protocol_name(99) == "99");
    CHECK(protocol_number("udp") == 17);
    CHECK(protocol_number("132") == 132);
    for (const char* text : {"", "tpc", "256", "6x", "-1"}) CHECK_FALSE(protocol_number(text));
    CHECK(tcp_state_name(3) == "established");
    CHECK(tcp_state_name(99).empty());
}
