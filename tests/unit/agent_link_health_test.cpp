// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "agent/link_health.h"

using namespace natctl;
using namespace std::chrono_literals;

namespace {

const Endpoint proxy{*Address::parse("127.0.0.1"), 1080};

/// A peer that is reached by wg0, else by wg1, and the time.
struct Scene {
    LinkHealth::Time now{1000s};
    LinkHealth health{{.probe_every = 200ms, .silence = 700ms, .hold = 5s, .end = 30s}};
    Site site;
    bool wg0 = true;
    bool wg1 = true;
    std::vector<InterfaceAddress> addresses;

    Scene() { set_links({DevLink{.dev = "wg0"}, DevLink{.dev = "wg1"}}); }

    void set_links(std::vector<Link> links) {
        site.peers = {
            {.name = "b", .virtual_prefixes = {*Prefix::parse("240.2.2.0/24")}, .links = std::move(links), .at = {}}};
    }
    /// Interfaces that are up, and places of links that are out of use.
    std::string look() {
        Facts facts;
        facts.interfaces = {{"wg0", 2, wg0, addresses}, {"wg1", 3, wg1, {}}};
        health.adjust(site, facts, now);
        std::string text;
        for (const auto& interface : facts.interfaces)
            if (interface.up) text += interface.name + " ";
        for (const auto& [link, family] : facts.unroutable) text += "no" + std::to_string(link.place) + " ";
        for (const auto& link : facts.out_of_use) text += "not" + std::to_string(link.place) + " ";
        return text;
    }
    std::string said() {
        std::string text;
        for (const auto& line : health.messages()) text += line + "\n";
        return text;
    }
    /// Probes as they fall due until then; those of `answering` are answered at once. How many were sent.
    std::size_t probe_for(LinkHealth::Duration time, const std::vector<std::size_t>& answering) {
        std::size_t sent = 0;
        for (const auto end = now + time; now < end; now += 200ms)
            for (const auto& probe : health.probes(now)) {
                ++sent;
                health.asked(probe.link);
                if (std::ranges::find(answering, probe.link.place) != answering.end()) health.answered(probe.link, now);
            }
        return sent;
    }
};

DevLink with_gateway(const std::string& dev, const char* via) { return {.dev = dev, .via4 = Address::parse(via)}; }

} // namespace

TEST_CASE("a link that goes is believed at once, and one that comes back only after a while") {
    Scene scene;
    CHECK(scene.look() == "wg0 wg1 ");
    CHECK(scene.said().empty());
    scene.wg0 = false;
    CHECK(scene.look() == "wg1 ");
    CHECK(scene.said() == "wg0 is down: new flows take the next link of its peers\n");
    CHECK(scene.health.due(scene.now) == LinkHealth::Time::max());
    scene.now += 1s;
    scene.wg0 = true;
    CHECK(scene.look() == "wg0 wg1 not0 ");
    CHECK(scene.health.due(scene.now) == scene.now + 5s);
    scene.now += 4s;
    CHECK(scene.look() == "wg0 wg1 not0 ");
    CHECK(scene.said() == "wg0 is up again, and used when it stays so for 5 s\n");
    CHECK_FALSE(scene.health.has_news(scene.now));
    scene.now += 1s;
    CHECK(scene.health.has_news(scene.now));
    CHECK(scene.look() == "wg0 wg1 ");
    CHECK(scene.said() == "wg0 is up, and used again\n");
    CHECK(scene.health.due(scene.now) == LinkHealth::Time::max());
}

TEST_CASE("each failure begins the wait anew") {
    Scene scene;
    scene.look();
    for (int i = 0; i < 20; ++i) {
        scene.wg0 = false;
        CHECK(scene.look() == "wg1 ");
        scene.now += 1s;
        scene.wg0 = true;
        CHECK(scene.look() == "wg0 wg1 not0 ");
        scene.now += 4s;
        CHECK(scene.look() == "wg0 wg1 not0 ");
    }
    scene.now += 1s;
    CHECK(scene.look() == "wg0 wg1 ");
}

TEST_CASE("where there is no other way nothing waits") {
    Scene scene;
    scene.look();
    scene.wg0 = false;
    scene.wg1 = false;
    CHECK(scene.look().empty());
    scene.wg0 = true;
    CHECK(scene.look() == "wg0 ");
    // One that is first seen when it comes has not failed.
    Scene late;
    late.wg0 = false;
    CHECK(late.look() == "wg1 ");
    late.wg0 = true;
    CHECK(late.look() == "wg0 wg1 ");
}

TEST_CASE("links that are no longer in the site are forgotten") {
    Scene scene;
    scene.look();
    scene.wg0 = false;
    scene.look();
    scene.wg0 = true;
    scene.look();
    scene.set_links({DevLink{.dev = "wg1"}});
    CHECK(scene.look() == "wg0 wg1 ");
    CHECK(scene.health.due(scene.now) == LinkHealth::Time::max());
}

TEST_CASE("a gateway that no longer answers takes its link out of use, until it has answered for a while") {
    Scene scene;
    scene.set_links({with_gateway("wg0", "198.51.100.2"), with_gateway("wg1", "198.51.100.6")});
    scene.look();
    CHECK(scene.probe_for(10s, {0, 1}) == 100);
    CHECK_FALSE(scene.health.has_news(scene.now));
    scene.probe_for(400ms, {1});
    CHECK_FALSE(scene.health.has_news(scene.now));
    scene.probe_for(200ms, {1});
    REQUIRE(scene.health.has_news(scene.now));
    CHECK(scene.look() == "wg0 wg1 not0 ");
    CHECK(
        scene.said() ==
        "peer b by dev wg0 via 198.51.100.2: 198.51.100.2 does not answer through it: new flows take the next link\n");
    const auto states = scene.health.states(scene.now + 3s);
    REQUIRE(states.size() == 2);
    CHECK(states[0].standing == LinkHealth::Standing::down);
    CHECK(states[0].since == 3s);
    CHECK(states[1].standing == LinkHealth::Standing::used);
    CHECK_FALSE(states[1].since.has_value());
    // Both fail: then there is none.
    scene.probe_for(1s, {});
    CHECK(scene.look() == "wg0 wg1 not0 not1 ");
    // What answers is used at once where there is no other way.
    scene.probe_for(200ms, {1});
    CHECK(scene.look() == "wg0 wg1 not0 ");
    scene.probe_for(200ms, {0, 1});
    CHECK(scene.look() == "wg0 wg1 not0 ");
    scene.probe_for(5s, {0, 1});
    CHECK(scene.look() == "wg0 wg1 ");
}

TEST_CASE("who never answered proves nothing, unless site.toml says that he does") {
    Scene scene;
    scene.set_links({with_gateway("wg0", "198.51.100.2"), DevLink{.dev = "wg1"}});
    scene.look();
    scene.probe_for(10s, {});
    CHECK(scene.look() == "wg0 wg1 ");
    scene.set_links({DevLink{.dev = "wg0", .probe = Address::parse("198.51.100.2")}, DevLink{.dev = "wg1"}});
    CHECK(scene.look() == "wg0 wg1 ");
    scene.probe_for(1s, {});
    CHECK(scene.look() == "wg0 wg1 not0 ");
}

TEST_CASE("who is asked") {
    Scene scene;
    const auto target = [&] {
        scene.look();
        const auto probes = scene.health.probes(scene.now += 10s);
        return probes.empty() ? std::string("nobody") : probes.front().target.text();
    };
    CHECK(target() == "nobody");
    for (const auto& [address, length, other] : {std::tuple("172.31.0.1", 30u, "172.31.0.2"),
                                                 {"172.31.0.2", 30u, "172.31.0.1"},
                                                 {"172.31.0.0", 31u, "172.31.0.1"},
                                                 {"172.31.0.1", 31u, "172.31.0.0"},
                                                 {"172.31.0.3", 30u, "172.31.0.2"},
                                                 {"fd00::1", 127u, "fd00::"},
                                                 {"172.31.0.1", 24u, "nobody"},
                                                 {"172.31.0.1", 32u, "nobody"}}) {
        CAPTURE(address);
        scene.addresses = {{*Address::parse(address), length}};
        CHECK(target() == other);
    }
    scene.addresses = {{*Address::parse("172.31.0.1"), 30}};
    scene.set_links({DevLink{.dev = "wg0", .probed = false}, DevLink{.dev = "wg1"}});
    CHECK(target() == "nobody");
    scene.set_links({with_gateway("wg0", "198.51.100.2")});
    CHECK(target() == "nobody");
    scene.set_links({DevLink{.dev = "wg0", .probe = Address::parse("198.51.100.3")}});
    CHECK(target() == "198.51.100.3");
    scene.wg0 = false;
    CHECK(target() == "nobody");
}

TEST_CASE("many links are asked less often") {
    Scene scene;
    scene.site.peers.clear();
    for (int i = 0; i < 1000; ++i)
        scene.site.peers.push_back({.name = "p" + std::to_string(i),
                                    .virtual_prefixes = {},
                                    .links = {with_gateway("wg0", "198.51.100.2"), with_gateway("wg1", "198.51.100.6")},
                                    .at = {}});
    scene.look();
    CHECK(scene.probe_for(10s, {0, 1}) == 5 * 2000);
}

TEST_CASE("a proxy that the tunnel finds down is out of use while there is another way") {
    Scene scene;
    scene.set_links({SocksLink{.server = proxy, .credentials = {}}, DevLink{.dev = "wg0"}});
    CHECK(scene.look() == "wg0 wg1 ");
    CHECK(scene.health.asks_for_proxies());
    scene.health.proxies_are({{proxy, "connection refused"}});
    CHECK(scene.health.has_news(scene.now));
    CHECK(scene.look() == "wg0 wg1 not0 ");
    CHECK(scene.said() == "peer b by socks5 127.0.0.1:1080: connection refused: new flows take the next link\n");
    scene.wg0 = false;
    CHECK(scene.look() == "wg1 ");
    scene.wg0 = true;
    scene.health.proxies_are({});
    CHECK(scene.look() == "wg0 wg1 not1 ");
    scene.now += 5s;
    CHECK(scene.look() == "wg0 wg1 ");
    // Behind the interface it is asked about for nothing.
    scene.set_links({DevLink{.dev = "wg0"}, SocksLink{.server = proxy, .credentials = {}}});
    scene.look();
    CHECK_FALSE(scene.health.asks_for_proxies());
}

TEST_CASE("flows on links are ended once, when no interface link has worked for long") {
    Scene scene;
    scene.look();
    scene.wg0 = false;
    scene.look();
    scene.now += 60s;
    CHECK(scene.health.ended(scene.now).empty());
    scene.wg1 = false;
    scene.look();
    CHECK(scene.health.due(scene.now) == scene.now + 30s);
    scene.now += 29s;
    CHECK(scene.health.ended(scene.now).empty());
    scene.now += 1s;
    CHECK(scene.health.ended(scene.now) == std::vector<std::string>{"b"});
    CHECK(scene.health.ended(scene.now + 100s).empty());
    // A flap begins anew.
    scene.wg1 = true;
    scene.look();
    scene.wg1 = false;
    scene.look();
    CHECK(scene.health.ended(scene.now + 29s).empty());
    CHECK(scene.health.ended(scene.now + 30s).size() == 1);
}

TEST_CASE("what another agent found failed is not believed before it has shown that it works") {
    Scene former;
    const std::vector<Link> links{with_gateway("wg0", "198.51.100.2"), with_gateway("wg1", "198.51.100.6")};
    former.set_links(links);
    former.look();
    former.probe_for(1s, {0, 1});
    CHECK(former.health.failed().empty());
    former.probe_for(1s, {1});
    former.look();
    const auto failed = former.health.failed();
    REQUIRE(failed.size() == 1);
    CHECK(failed.begin()->first == PeerLink{"b", 0});

    Scene scene;
    scene.set_links(links);
    scene.now = former.now + 10s;
    scene.health.inherit(failed);
    CHECK(scene.look() == "wg0 wg1 not0 ");
    const auto state = scene.health.states(scene.now).front();
    CHECK(state.standing == LinkHealth::Standing::down);
    CHECK(state.since == 10s);
    scene.probe_for(10s, {1});
    CHECK(scene.look() == "wg0 wg1 not0 ");
    scene.probe_for(200ms, {0, 1});
    CHECK(scene.look() == "wg0 wg1 not0 ");
    scene.probe_for(5s, {0, 1});
    CHECK(scene.look() == "wg0 wg1 ");
    CHECK(scene.health.failed().empty());
}

TEST_CASE("what another agent waited for is waited for again") {
    Scene scene;
    // It may stand at another place now.
    scene.health.inherit({{{"b", 1}, {.since = scene.now - 1s, .text = "dev wg0"}}, {{"gone", 0}, {}}});
    CHECK(scene.look() == "wg0 wg1 not0 ");
    scene.now += 5s;
    CHECK(scene.look() == "wg0 wg1 ");
}

TEST_CASE("a link is the same one at another place, and when its address was away") {
    Scene scene;
    const auto other = with_gateway("wg1", "198.51.100.6");
    scene.addresses = {{*Address::parse("172.31.0.1"), 30}};
    scene.set_links({DevLink{.dev = "wg0"}, other});
    scene.look();
    scene.probe_for(1s, {0, 1});
    scene.probe_for(1s, {1});
    CHECK(scene.look() == "wg0 wg1 not0 ");
    scene.set_links({other, DevLink{.dev = "wg0"}});
    CHECK(scene.look() == "wg0 wg1 not1 ");
    scene.set_links({DevLink{.dev = "wg0"}, other});
    CHECK(scene.look() == "wg0 wg1 not0 ");
    // Nobody can be asked: it is waited for, as one that came back.
    scene.addresses.clear();
    scene.look();
    scene.addresses = {{*Address::parse("172.31.0.1"), 30}};
    CHECK(scene.look() == "wg0 wg1 not0 ");
    scene.probe_for(10s, {1});
    CHECK(scene.look() == "wg0 wg1 not0 ");
}

TEST_CASE("what could not be asked proves nothing") {
    Scene scene;
    scene.set_links({DevLink{.dev = "wg0", .probe = Address::parse("198.51.100.2")}, DevLink{.dev = "wg1"}});
    scene.look();
    for (const auto end = scene.now + 10s; scene.now < end; scene.now += 200ms)
        CHECK(scene.health.probes(scene.now).size() == 1);
    CHECK_FALSE(scene.health.has_news(scene.now));
    CHECK(scene.look() == "wg0 wg1 ");
}

TEST_CASE("a link whose route the kernel refuses is down for a while, or until something changes at its interface") {
    Scene scene;
    scene.look();
    scene.health.refuse({"b", 0}, Family::ipv6, "cannot add route", scene.now);
    CHECK(scene.health.has_news(scene.now));
    CHECK(scene.look() == "wg0 wg1 no0 not0 ");
    CHECK(scene.said() == "peer b by dev wg0: cannot add route: new flows take the next link\n");
    CHECK(scene.health.due(scene.now) == scene.now + 1s);
    scene.addresses = {{*Address::parse("172.31.0.1"), 24}};
    scene.look();
    CHECK(scene.health.states(scene.now).front().standing == LinkHealth::Standing::held);
    // It is tried less and less often.
    for (const auto pause : {1s, 2s, 4s}) {
        scene.health.refuse({"b", 0}, Family::ipv6, "cannot add route", scene.now);
        scene.look();
        scene.now += pause - 1ms;
        CHECK_FALSE(scene.health.has_news(scene.now));
        scene.now += 1ms;
        CHECK(scene.health.has_news(scene.now));
        CHECK(scene.look() == "wg0 wg1 not0 ");
        CHECK(scene.health.states(scene.now).front().standing == LinkHealth::Standing::held);
    }
}

TEST_CASE("a link that was refused is tried again although it has fallen silent as well") {
    Scene scene;
    scene.set_links({DevLink{.dev = "wg0", .probe = Address::parse("198.51.100.2")}, DevLink{.dev = "wg1"}});
    scene.look();
    scene.health.refuse({"b", 0}, Family::ipv4, "cannot add route", scene.now);
    scene.look();
    scene.probe_for(2s, {});
    CHECK(scene.health.has_news(scene.now));
    CHECK(scene.look() == "wg0 wg1 not0 ");
    CHECK(scene.health.states(scene.now).front().cause == "198.51.100.2 does not answer through it");
    CHECK_FALSE(scene.health.has_news(scene.now));
    CHECK(scene.health.due(scene.now) >= scene.now);
}

TEST_CASE("the only link of a peer is used for the IP version that the kernel takes routes of") {
    Scene scene;
    scene.set_links({DevLink{.dev = "wg0"}});
    scene.site.peers[0].virtual_prefixes.push_back(*Prefix::parse("fd01:2::/64"));
    scene.look();
    CHECK(scene.health.refuse({"b", 0}, Family::ipv6, "cannot add route", scene.now));
    CHECK_FALSE(scene.health.refuse({"b", 0}, Family::ipv6, "cannot add route", scene.now));
    CHECK(scene.look() == "wg0 wg1 no0 ");
    const auto state = scene.health.states(scene.now).front();
    CHECK(state.standing == LinkHealth::Standing::used);
    CHECK(state.cause == "cannot add route");
    CHECK_FALSE(scene.health.has_flows_to_end());
    CHECK(scene.health.refuse({"b", 0}, Family::ipv4, "cannot add route", scene.now));
    CHECK(scene.look() == "wg0 wg1 no0 no0 not0 ");
    CHECK(scene.health.has_flows_to_end());
    // All is taken again: the next refusal is the first one.
    scene.now += 10s;
    scene.look();
    scene.health.routes_taken(scene.now);
    scene.health.refuse({"b", 0}, Family::ipv6, "cannot add route", scene.now);
    scene.look();
    CHECK(scene.health.due(scene.now) == scene.now + 1s);
}

TEST_CASE("of links that come back together the first is used") {
    Scene scene;
    scene.look();
    scene.wg0 = scene.wg1 = false;
    scene.look();
    scene.wg0 = scene.wg1 = true;
    CHECK(scene.look() == "wg0 wg1 not1 ");
    scene.now += 5s;
    CHECK(scene.look() == "wg0 wg1 ");
}

TEST_CASE("flows that could not be ended are ended later") {
    Scene scene;
    scene.look();
    scene.wg0 = scene.wg1 = false;
    scene.look();
    scene.now += 30s;
    const auto peers = scene.health.ended(scene.now);
    REQUIRE(peers.size() == 1);
    scene.health.not_ended(peers, scene.now);
    CHECK(scene.health.due(scene.now) == scene.now + 1s);
    CHECK(scene.health.ended(scene.now).empty());
    scene.now += 1s;
    CHECK(scene.health.ended(scene.now) == peers);
}
