// SPDX-License-Identifier: GPL-3.0-or-later
#include <functional>
#include <future>
#include <optional>

#include <doctest/doctest.h>

#include "tunnel/tproxy_listener.h"
#include "tunnel_socks_server.h"

using namespace natctl;
using namespace natctl::test;
using std::chrono::milliseconds;

// A transparent listener finds the original destination in the local address of the socket. Here that is an address
// of loopback, so a client that connects to the listener is a client that wants to go to a peer of this address.

namespace {

/// The request for the peer's address, as the proxy must see it.
std::string request_for(const Endpoint& target) {
    return string_of(socks5::request(socks5::Command::connect, socks5::Destination::of(target)));
}

const std::string greeting_without_password("\5\1\0", 3);

/// A site with one peer that is reached by the given proxies.
struct Interceptor {
    Endpoint target{fresh_address(), 80};
    Site site;
    Timeouts timeouts = short_ticks();
    std::optional<RunningWorker> worker;

    explicit Interceptor(const std::vector<Endpoint>& proxies) {
        site.name = "a";
        Peer peer;
        peer.name = "b";
        peer.virtual_prefixes = {host_prefix(target.address)};
        for (const Endpoint& proxy : proxies) peer.links.push_back(SocksLink{proxy, std::nullopt});
        site.peers.push_back(peer);
    }

    void start() { worker.emplace(unmarked(site, timeouts), one(listen_on(ListenerKind::transparent, target))); }

    Connection client() const { return Connection::to(target); }
};

/// The proxy's part up to the request.
Connection accept_request(TestListener& proxy, const Endpoint& target) {
    auto connection = proxy.accept();
    CHECK(connection.receive(3) == greeting_without_password);
    connection.send({"\5\0", 2});
    CHECK(connection.receive(10) == request_for(target));
    return connection;
}

const std::string true_success = string_of(socks5::reply(socks5::Reply::succeeded, {Address::v4(0x01020304), 4711}));
const std::string formal_success = string_of(socks5::reply(socks5::Reply::succeeded));

} // namespace

TEST_CASE("a proxy may answer byte by byte, and the target speak first") {
    TestListener proxy;
    Interceptor a({proxy.endpoint()});
    a.start();
    auto client = a.client();
    auto connection = proxy.accept();
    CHECK(connection.receive(3) == greeting_without_password);
    // Nothing is sent ahead.
    CHECK(!connection.readable_within(milliseconds(20)));
    const std::string answers = std::string("\5\0", 2) + true_success;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (i == 2) CHECK(connection.receive(10) == request_for(a.target));
        connection.send({&answers[i], 1});
        std::this_thread::sleep_for(milliseconds(1));
    }
    connection.send("220 ready");
    CHECK(client.receive(9) == "220 ready");
    check_talks(client, connection);
}

TEST_CASE("what the target says together with the reply is passed on") {
    TestListener proxy;
    Interceptor a({proxy.endpoint()});
    a.start();
    auto client = a.client();
    client.send("early");
    auto connection = accept_request(proxy, a.target);
    const std::string banner = random_bytes(200'000, 12);
    std::thread sends([&] {
        connection.send(true_success + banner);
        connection.send_fin();
    });
    const auto received = client.receive_all();
    sends.join();
    CHECK(received.second == End::fin);
    CHECK((received.first == banner));
    CHECK(connection.receive(5) == "early");
}

TEST_CASE("every refusal of a proxy is an RST to the client, and is final") {
    TestListener proxy;
    TestListener second;
    Interceptor a({proxy.endpoint(), second.endpoint()});
    a.start();
    for (int code = 1; code <= 9; ++code)
        for (const std::string& rest : {std::string(), std::string("\0\1\0\0\0\0\0\0", 8)}) {
            auto client = a.client();
            auto connection = accept_request(proxy, a.target);
            connection.send(std::string("\5") + static_cast<char>(code) + rest);
            CHECK(client.wait_for_end() == End::rst);
        }
    CHECK(!second.somebody_within(milliseconds(20)));
}

TEST_CASE("proxies that close, lie or talk nonsense give the client an RST") {
    TestListener proxy;
    Interceptor a({proxy.endpoint()});
    a.start();
    using Script = std::function<void(Connection&)>;
    const std::vector<std::pair<const char*, Script>> scripts{
        {"closes at once", [](Connection&) {}},
        {"resets", [](Connection& c) { c.send_rst(); }},
        {"no method", [](Connection& c) { c.send("\5\xff"); }},
        {"wants a password that we have not", [](Connection& c) { c.send("\5\2"); }},
        {"unknown method", [](Connection& c) { c.send("\5\1"); }},
        {"speaks HTTP", [](Connection& c) { c.send("HTTP/1.1 400 Bad Request\r\n\r\n"); }},
        {"half a method", [](Connection& c) { c.send("\5"); }},
        {"half a reply",
         [](Connection& c) {
             c.send({"\5\0", 2});
             c.receive(10);
             c.send({"\5\0\0\1", 4});
         }},
        {"unknown address type",
         [](Connection& c) {
             c.send({"\5\0", 2});
             c.receive(10);
             c.send({"\5\0\0\7\1\2\3\4\5\6", 10});
         }},
    };
    for (const auto& entry : scripts) {
        // doctest's macros and clang do not get along with the names of structured bindings.
        const char* const name = entry.first;
        CAPTURE(name);
        auto client = a.client();
        {
            auto connection = proxy.accept();
            connection.receive(3);
            entry.second(connection);
        }
        CHECK(client.wait_for_end() == End::rst);
    }
}

TEST_CASE("a silent proxy is given up, in the handshake and after the request") {
    TestListener proxy;
    Interceptor a({proxy.endpoint()});
    a.timeouts.handshake = a.timeouts.reply = milliseconds(100);
    a.start();
    auto client = a.client();
    auto silent = proxy.accept();
    CHECK(client.wait_for_end() == End::rst);
    CHECK(silent.wait_for_end() != End::timeout);
    auto second_client = a.client();
    auto asked = accept_request(proxy, a.target);
    CHECK(second_client.wait_for_end() == End::rst);
    CHECK(asked.wait_for_end() != End::timeout);
}

TEST_CASE("the next proxy is asked while the former did not let us ask") {
    TestListener first;
    TestListener last;
    SUBCASE("nobody listens") {
        Interceptor a({dead_endpoint(), dead_endpoint(), last.endpoint()});
        a.start();
        auto client = a.client();
        auto connection = accept_request(last, a.target);
        connection.send(true_success);
        check_talks(client, connection);
    }
    SUBCASE("it hangs up") {
        Interceptor a({first.endpoint(), last.endpoint()});
        a.start();
        auto client = a.client();
        first.accept();
        auto connection = accept_request(last, a.target);
        connection.send(true_success);
        check_talks(client, connection);
    }
    SUBCASE("none is left") {
        Interceptor a({dead_endpoint(), dead_endpoint()});
        a.start();
        auto client = a.client();
        CHECK(client.wait_for_end() == End::rst);
    }
}

TEST_CASE("a proxy that closes a formal success without a byte has refused") {
    TestListener proxy;
    Interceptor a({proxy.endpoint()});
    a.start();
    SUBCASE("port 0") {
        auto client = a.client();
        accept_request(proxy, a.target).send(formal_success);
        CHECK(client.wait_for_end() == End::rst);
    }
    SUBCASE("the proxy's own port") {
        auto client = a.client();
        accept_request(proxy, a.target)
            .send(string_of(socks5::reply(socks5::Reply::succeeded, {Address::v4(0x01020304), 1080})));
        CHECK(client.wait_for_end() == End::rst);
    }
    SUBCASE("a true address: the target closed") {
        auto client = a.client();
        accept_request(proxy, a.target).send(true_success);
        CHECK(client.wait_for_end() == End::fin);
    }
}

TEST_CASE("an address that is no peer's, and the listener itself, are reset") {
    TestListener proxy;
    Interceptor a({proxy.endpoint()});
    SUBCASE("no peer's") { a.site.peers[0].virtual_prefixes = {*Prefix::parse("240.2.2.0/24")}; }
    SUBCASE("the listener itself") {
        // As if somebody connected to it instead of being intercepted.
        a.site.tunnel.listeners.push_back({.listen = a.target, .allow = {}, .credentials = {}, .to = {}, .at = {}});
    }
    a.start();
    auto client = a.client();
    CHECK(client.wait_for_end() == End::rst);
    CHECK(!proxy.somebody_within(milliseconds(20)));
}

namespace {

/// client -> SOCKS5 listener of a -> SOCKS5 listener of b, which wants a password -> target
struct Chain {
    TestListener target;
    PasswordFile password{"secret"};
    Endpoint at_a{fresh_address(), 1080};
    Endpoint at_b{fresh_address(), 1080};
    std::optional<RunningWorker> a;
    std::optional<RunningWorker> b;

    explicit Chain(const Prefix& allowed_at_b, const std::string& target_name = {}) {
        const Credentials credentials{"a", password.path(), {}};
        Site site_b;
        site_b.name = "b";
        if (!target_name.empty())
            site_b.maps.push_back(
                {host_prefix(target.endpoint().address), *Prefix::parse("192.168.1.20"), target_name, {}});
        site_b.tunnel.listeners.push_back(
            {.listen = at_b, .allow = {}, .credentials = credentials, .to = {}, .at = {}});
        site_b.tunnel.listeners.back().to = {allowed_at_b};
        b.emplace(unmarked(site_b), one(listen_on(ListenerKind::proxy, at_b)));
        Site site_a;
        site_a.name = "a";
        Peer peer;
        peer.name = "b";
        peer.virtual_prefixes = {host_prefix(target.endpoint().address)};
        peer.links.push_back(SocksLink{at_b, credentials});
        site_a.peers.push_back(peer);
        site_a.tunnel.listeners.push_back({.listen = at_a, .allow = {}, .credentials = {}, .to = {}, .at = {}});
        a.emplace(unmarked(site_a), one(listen_on(ListenerKind::proxy, at_a)));
    }

    /// The client, and the reply it got.
    std::pair<Connection, socks5::Reply> connect(std::uint16_t port) {
        return connect(request_for({target.endpoint().address, port}));
    }

    std::pair<Connection, socks5::Reply> connect(const std::string& request) {
        auto client = Connection::to(at_a);
        client.send(greeting_without_password);
        CHECK(client.receive(2) == std::string("\5\0", 2));
        client.send(request);
        const std::string reply = client.receive(10);
        REQUIRE(reply.size() == 10);
        return {std::move(client), static_cast<socks5::Reply>(reply[1])};
    }
};

} // namespace

TEST_CASE("two tunnels in a row: megabytes both ways, then half-close") {
    const std::size_t before = open_descriptors();
    {
        Chain chain(*Prefix::parse("127.0.0.0/8"));
        auto [client, reply] = chain.connect(chain.target.endpoint().port);
        CHECK(reply == socks5::Reply::succeeded);
        auto accepted = chain.target.accept();
        const std::string there = random_bytes(10'000'000, 13);
        const std::string back = random_bytes(10'000'000, 14);
        std::thread client_sends([&client = client, &there] {
            client.send(there);
            client.send_fin();
        });
        auto at_target = std::async(std::launch::async, [&] { return accepted.receive_all(); });
        CHECK((at_target.get() == std::pair(there, End::fin)));
        client_sends.join();
        // The other direction after the FIN of the first.
        std::thread target_sends([&] {
            accepted.send(back);
            accepted.send_fin();
        });
        CHECK((client.receive_all() == std::pair(back, End::fin)));
        target_sends.join();
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("two tunnels in a row: the first one passes on why the second one failed") {
    {
        Chain chain(*Prefix::parse("127.0.0.0/8"));
        CHECK(chain.connect(9).second == socks5::Reply::connection_refused);
    }
    {
        Chain chain(*Prefix::parse("203.0.113.0/24"));
        CHECK(chain.connect(chain.target.endpoint().port).second == socks5::Reply::not_allowed);
        CHECK(!chain.target.somebody_within(milliseconds(20)));
    }
    {
        Chain chain(*Prefix::parse("127.0.0.0/8"));
        chain.b.reset();
        CHECK(chain.connect(chain.target.endpoint().port).second == socks5::Reply::network_unreachable);
    }
}

TEST_CASE("two tunnels in a row: a name of the other site is looked up there") {
    Chain chain(*Prefix::parse("203.0.113.0/24"), "printer");
    const auto request = [&](const char* name) {
        return string_of(socks5::request(socks5::Command::connect, {std::string(name), chain.target.endpoint().port}));
    };
    auto [client, reply] = chain.connect(request("printer.b"));
    CHECK(reply == socks5::Reply::succeeded);
    auto accepted = chain.target.accept();
    check_talks(client, accepted);
    CHECK(chain.connect(request("printer")).second == socks5::Reply::not_allowed);
    CHECK(chain.connect(request("printer.c")).second == socks5::Reply::not_allowed);
}

TEST_CASE("two tunnels in a row: an RST of the target arrives") {
    Chain chain(*Prefix::parse("127.0.0.0/8"));
    auto [client, reply] = chain.connect(chain.target.endpoint().port);
    CHECK(reply == socks5::Reply::succeeded);
    auto accepted = chain.target.accept();
    check_talks(client, accepted);
    accepted.send_rst();
    CHECK(client.wait_for_end() == End::rst);
}
