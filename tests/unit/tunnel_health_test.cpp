// SPDX-License-Identifier: GPL-3.0-or-later
#include <functional>
#include <optional>
#include <thread>

#include <doctest/doctest.h>

#include "tunnel/proxy_health.h"
#include "tunnel_socks_server.h"

using namespace natctl;
using namespace natctl::test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

/// A site whose peer b has these proxies; it probes them.
struct ProbingTunnel {
    Endpoint target{fresh_address(), 80};
    std::shared_ptr<const Settings> settings;
    std::optional<RunningWorker> worker;

    explicit ProbingTunnel(const std::vector<Endpoint>& proxies) {
        Site site;
        site.name = "a";
        Peer peer{.name = "b", .virtual_prefixes = {host_prefix(target.address)}, .links = {}};
        for (const Endpoint& proxy : proxies) peer.links.push_back(SocksLink{proxy, std::nullopt});
        site.peers.push_back(peer);
        settings = unmarked(site);
        worker.emplace(settings, one(listen_on(ListenerKind::transparent, target)), WorkerLimits(), Probing::yes);
    }

    const ProxyHealth& health(std::size_t index) const { return *settings->proxies.at(index).health; }
    Connection client() const { return Connection::to(target); }
};

/// Takes what the tunnel says to a proxy up to the point where it would ask.
Connection greet(TestListener& proxy) {
    auto connection = proxy.accept();
    CHECK(connection.receive(3) == std::string("\5\1\0", 3));
    connection.send({"\5\0", 2});
    return connection;
}

/// And the request.
Connection take_request(TestListener& proxy) {
    auto connection = greet(proxy);
    CHECK(connection.receive(10).starts_with("\5\1"));
    return connection;
}

bool within_deadline(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + seconds(20);
    while (!holds())
        if (std::chrono::steady_clock::now() > end)
            return false;
        else
            std::this_thread::sleep_for(milliseconds(5));
    return true;
}

} // namespace

TEST_CASE("a proxy that failed is down until it answers, and is probed with longer and longer pauses") {
    const ProxyHealth::Clock::time_point start{};
    ProxyHealth health(start);
    CHECK(health.is_up());
    CHECK(!health.answered(start));
    CHECK(health.failed(start + seconds(5), "refused"));
    CHECK(!health.failed(start + seconds(6), "timed out"));
    CHECK(!health.is_up());
    CHECK(health.state().since == start + seconds(5));
    CHECK(health.state().cause == "timed out");
    auto now = start + seconds(5);
    for (const int pause : {1, 2, 4, 8, 16, 16, 16}) {
        CHECK(!health.begin_probe(now + seconds(pause) - milliseconds(1)));
        now += seconds(pause);
        CHECK(health.begin_probe(now));
        CHECK(!health.begin_probe(now));
    }
    CHECK(health.answered(now));
    CHECK(health.is_up());
    CHECK(health.state().cause.empty());
    CHECK(health.state().since == now);
}

TEST_CASE("a proxy that serves flows is not probed, one that rests is") {
    const ProxyHealth::Clock::time_point start{};
    ProxyHealth health(start);
    for (int i = 1; i < 5; ++i) {
        CHECK(!health.begin_probe(start + seconds(9 * i)));
        health.answered(start + seconds(9 * i));
    }
    CHECK(health.begin_probe(start + seconds(36) + ProxyHealth::rest));
}

TEST_CASE("one proxy of many peers has one health, which outlives a new configuration") {
    Site site;
    site.name = "a";
    const Endpoint proxy{*Address::parse("127.0.0.1"), 1080};
    const Endpoint other{*Address::parse("127.0.0.1"), 1081};
    for (int i = 0; i < 3; ++i)
        site.peers.push_back({.name = "p" + std::to_string(i),
                              .virtual_prefixes = {},
                              .links = {SocksLink{proxy, std::nullopt}, SocksLink{other, std::nullopt}}});
    const auto before = make_settings(site);
    REQUIRE(before->proxies.size() == 2);
    CHECK(before->peers[0].proxies[0].health == before->peers[2].proxies[0].health);
    CHECK(before->peers[0].proxies[0].health != before->peers[0].proxies[1].health);
    before->proxies[0].health->failed(ProxyHealth::Clock::now(), "refused");
    CHECK(in_order(before->peers[1]).front()->server == other);
    const auto after = make_settings(site, {}, before.get());
    CHECK(after->proxies[0].health == before->proxies[0].health);
    CHECK(after->proxies[1].health == before->proxies[1].health);
    CHECK(make_settings(site)->proxies[0].health->is_up());
}

TEST_CASE("new flows leave a dead proxy alone, and take it again when it answers") {
    TestListener backup;
    std::optional<TestListener> first(std::in_place);
    const Endpoint address = first->endpoint();
    ProbingTunnel tunnel({address, backup.endpoint()});
    {
        const auto client = tunnel.client();
        const auto served = take_request(*first);
    }
    first.reset();
    // The flow that finds it dead goes on by the next; those after it do not even try.
    {
        const auto client = tunnel.client();
        const auto served = take_request(backup);
        CHECK(!tunnel.health(0).is_up());
    }
    CHECK(tunnel.health(1).is_up());
    first.emplace(address);
    {
        const auto probe = greet(*first);
        CHECK(within_deadline([&] { return tunnel.health(0).is_up(); }));
    }
    const auto client = tunnel.client();
    const auto served = take_request(*first);
    CHECK(!backup.somebody_within(milliseconds(20)));
}

TEST_CASE("a proxy that takes connections and says nothing, or nonsense, is as dead as one that is gone") {
    TestListener backup;
    TestListener first;
    ProbingTunnel tunnel({first.endpoint(), backup.endpoint()});
    const auto client = tunnel.client();
    first.accept().send("HTTP/1.1 400 Bad Request\r\n");
    const auto served = take_request(backup);
    CHECK(!tunnel.health(0).is_up());
    CHECK(tunnel.health(0).state().cause.find("SOCKS5") != std::string::npos);
}

TEST_CASE("when all proxies are down, they are tried nevertheless") {
    TestListener first;
    TestListener second;
    ProbingTunnel tunnel({first.endpoint(), second.endpoint()});
    for (const auto& proxy : tunnel.settings->proxies) proxy.health->failed(ProxyHealth::Clock::now(), "test");
    const auto client = tunnel.client();
    const auto served = take_request(first);
    CHECK(!second.somebody_within(milliseconds(20)));
}
