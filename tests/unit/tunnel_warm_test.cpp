// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/warm_connections.h"

#include <optional>

#include <doctest/doctest.h>

#include "tunnel_socks_server.h"

using namespace natctl;
using namespace natctl::test;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const std::string greeting("\5\1\0", 3);
const std::string welcome("\5\0", 2);
const std::string success = string_of(socks5::reply(socks5::Reply::succeeded, {Address::v4(0x01020304), 4711}));

std::string request_for(const Endpoint& target) {
    return string_of(socks5::request(socks5::Command::connect, socks5::Destination::of(target)));
}

/// A site whose peer is reached by these proxies, and which keeps up to `max_warm` connections to them.
struct WarmTunnel {
    Endpoint target{fresh_address(), 80};
    Site site;
    Timeouts timeouts = short_ticks();
    WorkerLimits limits;
    std::optional<RunningWorker> worker;

    explicit WarmTunnel(const std::vector<Endpoint>& proxies, std::size_t max_warm = 8) {
        limits.max_warm = max_warm;
        site.name = "a";
        Peer peer{.name = "b", .virtual_prefixes = {host_prefix(target.address)}, .links = {}};
        for (const Endpoint& proxy : proxies) peer.links.push_back(SocksLink{proxy, std::nullopt});
        site.peers.push_back(peer);
    }

    void start(Probing probing = Probing::no) {
        worker.emplace(unmarked(site, timeouts), one(listen_on(ListenerKind::transparent, target)), limits, probing);
    }
    Connection client() const { return Connection::to(target); }
};

Connection greet(TestListener& proxy) {
    auto connection = proxy.accept();
    CHECK(connection.receive(3) == greeting);
    connection.send(welcome);
    return connection;
}

void serve(Connection& connection, const WarmTunnel& tunnel) {
    CHECK(connection.receive(10) == request_for(tunnel.target));
    connection.send(success);
}

/// Greets whoever comes, until one asks, and serves that one. `others` are those that have not asked.
Connection serve_next(TestListener& proxy, const WarmTunnel& tunnel, std::vector<Connection>& others) {
    std::optional<Connection> asks;
    CHECK(eventually([&] {
        while (proxy.somebody_within(milliseconds(0))) others.push_back(greet(proxy));
        for (auto next = others.begin(); next != others.end() && !asks;) {
            if (!next->readable_within(milliseconds(0))) {
                ++next;
                continue;
            }
            // What the tunnel does not need any more it closes.
            if (next->receive(10) == request_for(tunnel.target)) asks.emplace(std::move(*next));
            next = others.erase(next);
        }
        return asks.has_value();
    }));
    REQUIRE(asks);
    asks->send(success);
    return std::move(*asks);
}

/// A flow that comes when nothing is warm yet, and the connection that is made for the next one.
Connection warm_up(WarmTunnel& tunnel, TestListener& proxy) {
    auto client = tunnel.client();
    std::vector<Connection> others;
    auto asked = serve_next(proxy, tunnel, others);
    check_talks(client, asked);
    return others.empty() ? greet(proxy) : std::move(others.front());
}

} // namespace

TEST_CASE("as many are kept as flows came lately, and none when none came for a minute") {
    const WarmSupply::Clock::time_point start{};
    WarmSupply supply;
    CHECK(supply.wanted(start) == 0);
    supply.needed(start);
    CHECK(supply.wanted(start) == 1);
    for (int i = 1; i < 8; ++i) supply.needed(start);
    CHECK(supply.wanted(start) == 8);
    supply.tick();
    CHECK(supply.wanted(start + seconds(1)) == 8);
    supply.tick();
    CHECK(supply.wanted(start + seconds(2)) == 6);
    for (int i = 0; i < 10; ++i) supply.tick();
    CHECK(supply.wanted(start + seconds(12)) == 1);
    CHECK(supply.wanted(start + minutes(1) - seconds(1)) == 1);
    CHECK(supply.wanted(start + minutes(1)) == 0);
    supply.remember(start + minutes(1));
    CHECK(supply.wanted(start + minutes(1)) == 1);
    supply.remember(start);
    CHECK(supply.wanted(start + minutes(2) - seconds(1)) == 1);
}

TEST_CASE("one lives as long as the proxy lets it") {
    const WarmSupply::Clock::time_point start{};
    WarmSupply supply;
    supply.needed(start);
    CHECK(supply.life() == seconds(8));
    supply.hung_up(start, seconds(4));
    CHECK(supply.life() == seconds(3));
    supply.hung_up(start, seconds(2));
    CHECK(supply.life() == WarmSupply::shortest_life);
    CHECK(supply.wanted(start) == 1);
    for (int i = 0; i < 20; ++i) supply.outlived();
    CHECK(supply.life() == WarmSupply::longest_life);
    // One that is not wanted at all.
    supply.hung_up(start, milliseconds(10));
    CHECK(supply.wanted(start) == 0);
    supply.needed(start + seconds(59));
    CHECK(supply.wanted(start + seconds(59)) == 0);
    CHECK(supply.wanted(start + seconds(60)) == 2);
}

TEST_CASE("a proxy's manners are tried out once, when somebody wants to know") {
    ProxyManners manners;
    CHECK(!manners.begin_trial());
    CHECK(!manners.takes_requests_ahead());
    CHECK(manners.begin_trial());
    CHECK(!manners.begin_trial());
    CHECK(!manners.takes_requests_ahead());
    manners.learned(true);
    CHECK(manners.takes_requests_ahead());
    CHECK(!manners.begin_trial());
    manners.forget();
    // What a trial says of a program that may be gone counts no more.
    manners.learned(true);
    CHECK(!manners.takes_requests_ahead());
    CHECK(manners.begin_trial());
    manners.learned(false);
    CHECK(!manners.takes_requests_ahead());
    CHECK(!manners.begin_trial());
}

TEST_CASE("the next flow finds a connection that is greeted, and another one is made") {
    TestListener proxy;
    WarmTunnel tunnel({proxy.endpoint()});
    tunnel.start();
    auto warm = warm_up(tunnel, proxy);
    for (int i = 0; i < 3; ++i) {
        auto client = tunnel.client();
        serve(warm, tunnel);
        check_talks(client, warm);
        check_half_closes(client, warm);
        warm = greet(proxy);
    }
}

TEST_CASE("without warm connections a proxy sees one connection a flow") {
    TestListener proxy;
    WarmTunnel tunnel({proxy.endpoint()}, 0);
    tunnel.start(Probing::yes);
    auto client = tunnel.client();
    auto connection = greet(proxy);
    serve(connection, tunnel);
    check_talks(client, connection);
    CHECK(!proxy.somebody_within(milliseconds(50)));
}

TEST_CASE("a warm connection that the proxy closed costs no flow") {
    TestListener proxy;
    WarmTunnel tunnel({proxy.endpoint()});
    tunnel.start();
    auto warm = warm_up(tunnel, proxy);
    SUBCASE("while it waited") {
        warm.send_fin();
        CHECK(warm.wait_for_end() == End::fin);
    }
    SUBCASE("with an RST") { warm.send_rst(); }
    SUBCASE("when it was asked") {
        auto client = tunnel.client();
        CHECK(warm.receive(10) == request_for(tunnel.target));
        SUBCASE("with FIN") { warm.send_fin(); }
        SUBCASE("with RST") { warm.send_rst(); }
        std::vector<Connection> others;
        auto asked = serve_next(proxy, tunnel, others);
        check_talks(client, asked);
        return;
    }
    auto client = tunnel.client();
    std::vector<Connection> others;
    auto fresh = serve_next(proxy, tunnel, others);
    check_talks(client, fresh);
}

TEST_CASE("a refusal on a warm connection is final, and silence is waited for") {
    TestListener proxy;
    TestListener second;
    WarmTunnel tunnel({proxy.endpoint(), second.endpoint()});
    tunnel.timeouts.reply = seconds(2);
    tunnel.start();
    auto warm = warm_up(tunnel, proxy);
    auto client = tunnel.client();
    CHECK(warm.receive(10) == request_for(tunnel.target));
    SUBCASE("refusal") { warm.send("\5\5"); }
    SUBCASE("half a reply") {
        warm.send(success.substr(0, 4));
        warm.send_fin();
    }
    SUBCASE("silence") {}
    CHECK(client.wait_for_end() == End::rst);
    CHECK(!second.somebody_within(milliseconds(20)));
}

TEST_CASE("no more are made than allowed, and a burst of flows finds as many") {
    TestListener proxy;
    WarmTunnel tunnel({proxy.endpoint()}, 3);
    tunnel.start();
    std::vector<Connection> clients;
    for (int i = 0; i < 6; ++i) clients.push_back(tunnel.client());
    std::vector<Connection> connections;
    for (int i = 0; i < 9; ++i) connections.push_back(greet(proxy));
    CHECK(!proxy.somebody_within(milliseconds(50)));
    int asked = 0;
    for (Connection& connection : connections)
        asked += connection.readable_within(milliseconds(50)) && connection.receive(10).size() == 10 ? 1 : 0;
    CHECK(asked == 6);
}

TEST_CASE("none are kept to a proxy that is no longer configured, nor when the tunnel drains") {
    TestListener proxy;
    TestListener other;
    WarmTunnel tunnel({proxy.endpoint()});
    tunnel.start();
    auto warm = warm_up(tunnel, proxy);
    SUBCASE("reload") {
        tunnel.site.peers[0].links = {SocksLink{other.endpoint(), std::nullopt}};
        (*tunnel.worker)->reload(unmarked(tunnel.site, tunnel.timeouts), {}, {});
    }
    SUBCASE("drain") { (*tunnel.worker)->drain(); }
    CHECK(warm.wait_for_end() == End::fin);
    CHECK(!proxy.somebody_within(milliseconds(50)));
}

TEST_CASE("a proxy that reads on after the greeting is asked in one round trip") {
    TestListener proxy;
    WarmTunnel tunnel({proxy.endpoint()});
    tunnel.timeouts.trial = milliseconds(200);
    tunnel.start(Probing::yes);
    auto client = tunnel.client();
    // A flow, one to be kept, and the trial: the trial says more than the others.
    std::vector<Connection> three;
    std::optional<Connection> trial;
    for (int i = 0; i < 3; ++i) {
        auto connection = proxy.accept();
        CHECK(connection.receive(3) == greeting);
        if (connection.readable_within(milliseconds(100)))
            trial.emplace(std::move(connection));
        else
            three.push_back(std::move(connection));
    }
    REQUIRE(trial);
    REQUIRE(three.size() == 2);
    bool takes = false;
    SUBCASE("it does") {
        takes = true;
        trial->send(welcome + std::string("\5\7\0\1\0\0\0\0\0\0", 10));
    }
    SUBCASE("it has lost the request") { trial->send(welcome); }
    CHECK(trial->wait_for_end() != End::timeout);
    for (Connection& connection : three) connection.send(welcome);
    auto first = serve_next(proxy, tunnel, three);
    check_talks(client, first);
    // The proxy does not want the one that waits: the next flow makes its own connection.
    three.clear();
    auto next = tunnel.client();
    auto asked = proxy.accept();
    CHECK(asked.receive(3) == greeting);
    CHECK(asked.readable_within(milliseconds(50)) == takes);
    asked.send(welcome);
    serve(asked, tunnel);
    check_talks(next, asked);
}
