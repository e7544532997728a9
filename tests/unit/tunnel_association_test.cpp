// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/served_association.h"

#include <optional>

#include <doctest/doctest.h>

#include "tunnel_socks_server.h"
#include "tunnel_udp.h"

using namespace natctl;
using namespace natctl::test;
using std::chrono::milliseconds;

// Clients of our SOCKS5 server that ask for UDP, and the server's own associations with the proxy of a peer.

namespace {

constexpr auto a_moment = milliseconds(100);

std::string wrapped(const Endpoint& endpoint, std::string_view payload) {
    return string_of(socks5::DatagramPrefix(socks5::Destination::of(endpoint)).bytes()) + std::string(payload);
}

std::string reply_with(const Endpoint& bound) { return string_of(socks5::reply(socks5::Reply::succeeded, bound)); }

const std::string associate_request("\5\3\0\1\0\0\0\0\0\0", 10);

/// A client past its request.
struct Client {
    Connection control;
    Endpoint relay;
    UdpSocket udp;

    explicit Client(const SocksServer& server, const std::string& request = associate_request)
        : control(Connection::to(server.listen)),
          udp({*Address::parse("127.0.0.1"), 0}) {
        control.send(std::string("\5\1\0", 3) + request);
        CHECK(control.receive(2) == std::string("\5\0", 2));
        const std::string reply = control.receive(10);
        const auto parsed = socks5::parse_reply(socks5::Bytes(reply.begin(), reply.end()));
        REQUIRE(parsed.done());
        REQUIRE(parsed.value().reply == socks5::Reply::succeeded);
        relay = {*parsed.value().bound.address(), parsed.value().bound.port};
    }

    void send(const Endpoint& to, std::string_view payload) const { udp.send(relay, wrapped(to, payload)); }
    void check_receives(const Endpoint& from, const std::string& payload) const {
        const auto datagram = udp.receive();
        REQUIRE(datagram);
        CHECK(datagram->from == relay);
        CHECK((datagram->bytes == wrapped(from, payload)));
    }
    bool hears_nothing() const { return !udp.receive(a_moment); }
};

} // namespace

TEST_CASE("datagrams of every size go there and back whole") {
    UdpSocket target;
    SocksServer server;
    server.allow(target.endpoint().address);
    server.start();
    const Client client(server);
    CHECK(client.relay.address == server.listen.address);
    CHECK(client.relay.port != 0);
    for (const std::size_t size : {0u, 1u, 2u, 511u, 512u, 1472u, 2038u, 9000u, 65'496u, 65'497u}) {
        CAPTURE(size);
        const std::string payload = random_bytes(size, static_cast<unsigned>(size));
        client.send(target.endpoint(), payload);
        const auto arrived = target.receive();
        REQUIRE(arrived);
        CHECK((arrived->bytes == payload));
        target.send(arrived->from, payload);
        client.check_receives(target.endpoint(), payload);
    }
}

TEST_CASE("what does not fit with its header is dropped, never cut") {
    UdpSocket target;
    SocksServer server;
    server.allow(target.endpoint().address);
    server.start();
    const Client client(server);
    client.send(target.endpoint(), "hello");
    const auto arrived = target.receive();
    REQUIRE(arrived);
    target.send(arrived->from, random_bytes(largest_datagram, 1));
    target.send(arrived->from, "small");
    client.check_receives(target.endpoint(), "small");
}

TEST_CASE("whoever the client may talk to can answer, others cannot") {
    UdpSocket target;
    UdpSocket friendly;
    UdpSocket stranger;
    SocksServer server;
    server.allow(target.endpoint().address);
    server.allow(friendly.endpoint().address);
    server.start();
    const Client client(server);
    client.send(target.endpoint(), "binding request");
    const auto arrived = target.receive();
    REQUIRE(arrived);
    stranger.send(arrived->from, "let me in");
    friendly.send(arrived->from, "from another address");
    client.check_receives(friendly.endpoint(), "from another address");
    UdpSocket other_port({target.endpoint().address, 0});
    other_port.send(arrived->from, "from another port");
    client.check_receives(other_port.endpoint(), "from another port");
    CHECK(client.hears_nothing());
}

TEST_CASE("a client keeps its address whomever it talks to") {
    UdpSocket one_target;
    UdpSocket other_target;
    SocksServer server;
    server.allow(one_target.endpoint().address);
    server.allow(other_target.endpoint().address);
    server.start();
    const Client client(server);
    client.send(one_target.endpoint(), "x");
    client.send(other_target.endpoint(), "y");
    const auto at_one = one_target.receive();
    const auto at_other = other_target.receive();
    REQUIRE(at_one);
    REQUIRE(at_other);
    CHECK(at_one->from.port == at_other->from.port);
}

TEST_CASE("only the client of the connection is served: not its neighbours, nor its other ports") {
    UdpSocket target;
    SocksServer server;
    server.allow(target.endpoint().address);
    server.start();
    const Client client(server);
    const UdpSocket neighbour;
    neighbour.send(client.relay, wrapped(target.endpoint(), "from another address"));
    CHECK(!target.receive(a_moment));
    client.send(target.endpoint(), "first");
    CHECK(target.receive()->bytes == "first");
    const UdpSocket other_port({*Address::parse("127.0.0.1"), 0});
    other_port.send(client.relay, wrapped(target.endpoint(), "from another port"));
    neighbour.send(client.relay, wrapped(target.endpoint(), "from another address"));
    client.send(target.endpoint(), "second");
    CHECK(target.receive()->bytes == "second");
    CHECK(!target.receive(a_moment));
}

TEST_CASE("what the rules forbid, fragments and noise go nowhere") {
    UdpSocket target;
    UdpSocket forbidden;
    SocksServer server;
    server.allow(target.endpoint().address);
    server.start();
    const Client client(server);
    client.send(forbidden.endpoint(), "x");
    client.send({target.endpoint().address, 0}, "no port");
    client.send(server.listen, "to the listener itself");
    std::string fragment = wrapped(target.endpoint(), "a part");
    for (const char number : {'\1', '\x7f', '\x80', '\xff'}) {
        fragment[2] = number;
        client.udp.send(client.relay, fragment);
    }
    const std::string whole = wrapped(target.endpoint(), "");
    for (std::size_t size = 0; size < whole.size(); ++size) client.udp.send(client.relay, whole.substr(0, size));
    client.udp.send(client.relay, std::string("\0\0\0\2\1\2\3\4\5\6", 10));
    client.send(target.endpoint(), "good");
    CHECK(target.receive()->bytes == "good");
    CHECK(!target.receive(a_moment));
    CHECK(!forbidden.receive(milliseconds(0)));
}

TEST_CASE("an association ends with its connection") {
    UdpSocket target;
    SocksServer server;
    server.allow(target.endpoint().address);
    server.start();
    const std::size_t before = open_descriptors();
    {
        Client client(server);
        client.send(target.endpoint(), "x");
        const auto arrived = target.receive();
        REQUIRE(arrived);
        SUBCASE("FIN") { client.control.send_fin(); }
        SUBCASE("RST") { client.control.send_rst(); }
        // Nobody has the ports any more.
        CHECK(eventually([&] { return open_descriptors() <= before + 2; }));
        client.send(target.endpoint(), "y");
        CHECK(!target.receive(a_moment));
        target.send(arrived->from, "late");
        CHECK(client.hears_nothing());
    }
    CHECK(eventually([&] { return open_descriptors() == before; }));
}

TEST_CASE("an association that moves nothing is ended") {
    SocksServer server;
    server.timeouts.association = milliseconds(50);
    server.start();
    Client client(server);
    CHECK(client.control.wait_for_end() != End::timeout);
}

TEST_CASE("beyond the limit of associations a client is told so") {
    SocksServer server;
    server.limits.max_associations = 1;
    server.start();
    const Client first(server);
    auto second = Connection::to(server.listen);
    second.send(std::string("\5\1\0", 3) + associate_request);
    CHECK(second.receive(4) == std::string("\5\0\5\1", 4));
}

TEST_CASE("the destination of the request is not looked at: v2ray puts the first target there") {
    UdpSocket target;
    SocksServer server;
    server.allow(target.endpoint().address);
    server.start();
    const Client client(
        server, string_of(socks5::request(socks5::Command::udp_associate, socks5::Destination::of(target.endpoint()))));
    client.send(target.endpoint(), "x");
    CHECK(target.receive()->bytes == "x");
}

TEST_CASE("a peer's addresses are reached through the peer's proxy") {
    UdpSocket target;
    UdpSocket elsewhere;
    SocksServer far;
    far.allow(target.endpoint().address);
    far.allow(elsewhere.endpoint().address);
    far.start();
    SocksServer near;
    near.add_peer(far.listen, host_prefix(target.endpoint().address));
    near.start();
    const Client client(near);
    // The first ones wait until the proxy has answered.
    for (const char* text : {"one", "two", "three"}) client.send(target.endpoint(), text);
    std::optional<UdpSocket::Datagram> arrived;
    for (const char* text : {"one", "two", "three"}) {
        arrived = target.receive();
        REQUIRE(arrived);
        CHECK(arrived->bytes == text);
    }
    // The proxy lets it through, but it is not of the peer.
    elsewhere.send(arrived->from, "I am somebody else");
    target.send(arrived->from, "answer");
    client.check_receives(target.endpoint(), "answer");
    CHECK(client.hears_nothing());
}

namespace {

/// A proxy by hand, with a UDP port.
struct ScriptedProxy {
    TestListener listener;
    UdpSocket udp{{listener.endpoint().address, 0}};
    std::optional<Connection> control;

    void accept(const Endpoint& bound) {
        control = listener.accept();
        CHECK(control->receive(3) == std::string("\5\1\0", 3));
        control->send({"\5\0", 2});
        CHECK(control->receive(10) == associate_request);
        control->send(reply_with(bound));
    }
};

const Endpoint at_peer{*Address::parse("203.0.113.20"), 53};

struct WithProxy {
    ScriptedProxy proxy;
    SocksServer server;
    std::optional<Client> client;

    WithProxy() {
        server.add_peer(proxy.listener.endpoint(), host_prefix(at_peer.address));
        server.start();
        client.emplace(server);
    }

    void check_passes(const std::string& text) {
        client->send(at_peer, text);
        const auto arrived = proxy.udp.receive();
        REQUIRE(arrived);
        CHECK(arrived->bytes == wrapped(at_peer, text));
        proxy.udp.send(arrived->from, wrapped(at_peer, text + " back"));
        client->check_receives(at_peer, text + " back");
    }
};

} // namespace

TEST_CASE("a proxy may name its UDP port in all the ways that v2ray and Xray do") {
    WithProxy a;
    a.client->send(at_peer, "query");
    SUBCASE("address and port") { a.proxy.accept(a.proxy.udp.endpoint()); }
    SUBCASE("0.0.0.0 means the address of its own") {
        a.proxy.accept({*Address::parse("0.0.0.0"), a.proxy.udp.endpoint().port});
    }
    const auto arrived = a.proxy.udp.receive();
    REQUIRE(arrived);
    CHECK(arrived->bytes == wrapped(at_peer, "query"));
    a.check_passes("more");
}

TEST_CASE("an association is made anew after the proxy has ended it") {
    WithProxy a;
    a.client->send(at_peer, "query");
    a.proxy.accept(a.proxy.udp.endpoint());
    CHECK(a.proxy.udp.receive());
    a.proxy.control->send_rst();
    CHECK(eventually([&] {
        a.client->send(at_peer, "query");
        return a.proxy.listener.somebody_within(milliseconds(20));
    }));
    a.proxy.accept(a.proxy.udp.endpoint());
    CHECK(eventually([&] { return a.proxy.udp.receive(a_moment).has_value(); }));
    while (a.proxy.udp.receive(milliseconds(20))) continue;
    a.check_passes("again");
}

TEST_CASE("a proxy that refuses is asked again after a while, not for every datagram") {
    WithProxy a;
    for (int attempt = 0; attempt < 2; ++attempt) {
        CHECK(eventually([&] {
            a.client->send(at_peer, "query");
            return a.proxy.listener.somebody_within(milliseconds(10));
        }));
        auto control = a.proxy.listener.accept();
        CHECK(control.receive(3).size() == 3);
        control.send({"\5\0", 2});
        CHECK(control.receive(10) == associate_request);
        control.send({"\5\7\0\1\0\0\0\0\0\0", 10});
        CHECK(control.wait_for_end() != End::timeout);
        for (int i = 0; i < 20; ++i) a.client->send(at_peer, "query");
        CHECK(!a.proxy.listener.somebody_within(a_moment));
    }
}

TEST_CASE("noise and fragments of a proxy go nowhere") {
    WithProxy a;
    a.client->send(at_peer, "query");
    a.proxy.accept(a.proxy.udp.endpoint());
    const auto arrived = a.proxy.udp.receive();
    REQUIRE(arrived);
    std::string fragment = wrapped(at_peer, "part");
    fragment[2] = 1;
    a.proxy.udp.send(arrived->from, fragment);
    a.proxy.udp.send(arrived->from, "");
    a.proxy.udp.send(arrived->from, std::string("\0\0\0\3\0\0\65x", 8));
    a.proxy.udp.send(arrived->from, wrapped({at_peer.address, 0}, "no port"));
    // Not the proxy.
    UdpSocket().send(arrived->from, wrapped(at_peer, "forged"));
    a.check_passes("good");
    CHECK(a.client->hears_nothing());
}
