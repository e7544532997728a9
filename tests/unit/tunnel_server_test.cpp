// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/socks5_server.h"

#include <future>

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "tunnel_socks_server.h"

using namespace natctl;
using namespace natctl::test;
using std::chrono::milliseconds;

namespace {

/// Its clients may go anywhere on loopback.
struct Server : SocksServer {
    Server() { allow(*Prefix::parse("127.0.0.0/8")); }

    /// Past the method negotiation.
    Connection greeted_client() const {
        auto connection = client();
        connection.send({"\5\1\0", 3});
        CHECK(connection.receive(2) == std::string("\5\0", 2));
        return connection;
    }
};

std::string connect_request(const socks5::Destination& destination) {
    return string_of(socks5::request(socks5::Command::connect, destination));
}

std::string connect_request(const Endpoint& endpoint) { return connect_request(socks5::Destination::of(endpoint)); }

socks5::ReplyMessage read_reply(Connection& connection) {
    const std::string text = connection.receive(10);
    const auto parsed = socks5::parse_reply(socks5::Bytes(text.begin(), text.end()));
    REQUIRE(parsed.done());
    return parsed.value();
}

socks5::Reply reply_to(Server& server, const socks5::Destination& destination) {
    auto client = server.greeted_client();
    client.send(connect_request(destination));
    return read_reply(client).reply;
}

} // namespace

TEST_CASE("CONNECT by address: success is told after the connection stands, with its true address") {
    Server server;
    server.start();
    TestListener target;
    auto client = server.greeted_client();
    client.send(connect_request(target.endpoint()));
    auto accepted = target.accept();
    const auto reply = read_reply(client);
    CHECK(reply.reply == socks5::Reply::succeeded);
    REQUIRE(reply.bound.address());
    CHECK(reply.bound.address()->is_loopback());
    CHECK(reply.bound.port != 0);
    CHECK(reply.bound.port != server.listen.port);
    check_talks(client, accepted);
    check_half_closes(client, accepted);
}

TEST_CASE("CONNECT by name: a host of the site, a name that is looked up, an address in words") {
    Server server;
    TestListener target;
    server.site.maps.push_back({host_prefix(target.endpoint().address), *Prefix::parse("192.168.1.20"), "printer", {}});
    server.start();
    for (const char* name : {"printer", "Printer.B", "localhost"}) {
        CAPTURE(name);
        // localhost is 127.0.0.1, which is not where the target listens.
        const auto expected =
            name == std::string("localhost") ? socks5::Reply::connection_refused : socks5::Reply::succeeded;
        CHECK(reply_to(server, {std::string(name), target.endpoint().port}) == expected);
    }
    CHECK(reply_to(server, {target.endpoint().address.text(), target.endpoint().port}) == socks5::Reply::succeeded);
}

TEST_CASE("failures have their own replies") {
    Server server;
    server.start();
    CHECK(reply_to(server, socks5::Destination::of(dead_endpoint())) == socks5::Reply::connection_refused);
    CHECK(reply_to(server, {*Address::parse("203.0.113.1"), 80}) == socks5::Reply::not_allowed);
    CHECK(reply_to(server, {*Address::parse("::ffff:203.0.113.1"), 80}) == socks5::Reply::not_allowed);
    CHECK(reply_to(server, {*Address::parse("0.0.0.0"), 80}) == socks5::Reply::not_allowed);
    CHECK(reply_to(server, socks5::Destination::of(server.listen)) == socks5::Reply::not_allowed);

    for (const auto& [request, reply] :
         {std::pair(std::string("\5\2\0\1\1\2\3\4\0\120", 10), socks5::Reply::command_not_supported),
          std::pair(std::string("\5\1\0\3\0\0\120", 7), socks5::Reply::not_allowed),
          std::pair(std::string("\5\1\0\2\1\2", 6), socks5::Reply::address_type_not_supported)}) {
        auto client = server.greeted_client();
        client.send(request);
        CHECK(read_reply(client).reply == reply);
        // The reply arrives although more was sent than was read, and then it is over.
        CHECK(client.wait_for_end() == End::fin);
    }
}

TEST_CASE("what does not speak SOCKS5 is hung up on") {
    Server server;
    server.start();
    for (const std::string& noise : {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("\4\1\0\120\1\2\3\4\0", 9),
                                     std::string("\x16\3\1"), std::string(4000, '\xff')}) {
        auto client = server.client();
        client.try_send(noise);
        client.send_fin();
        CHECK(client.receive_all().first.empty());
    }
    auto client = server.greeted_client();
    client.send("\4");
    client.send_fin();
    CHECK(client.receive_all().first.empty());
}

TEST_CASE("user and password: right, wrong, missing; nothing is dialled before they are right") {
    Server server;
    const PasswordFile file("secret");
    server.listener.credentials = Credentials{"a", file.path(), {}};
    server.start();
    TestListener target;
    const auto attempt = [&](const std::string& user, const std::string& password) {
        auto client = server.client();
        // All of it at once, the request included.
        client.send(string_of(socks5::greeting(true)) + string_of(socks5::user_password({user, password})) +
                    connect_request(target.endpoint()));
        return client;
    };
    {
        auto client = attempt("a", "secret");
        CHECK(client.receive(4) == std::string("\5\2\1\0", 4));
        CHECK(read_reply(client).reply == socks5::Reply::succeeded);
        auto accepted = target.accept();
        check_talks(client, accepted);
    }
    for (const auto& [user, password] : {std::pair("a", "Secret"), std::pair("b", "secret"), std::pair("a", "secre"),
                                         std::pair("a", "secret\n"), std::pair("secret", "a")}) {
        auto client = attempt(user, password);
        CHECK(client.receive_all() == std::pair(std::string("\5\2\1\1", 4), End::fin));
    }
    for (const std::string& greeting : {std::string("\5\1\0", 3), std::string("\5\0", 2), std::string("\5\1\1", 3)}) {
        auto client = server.client();
        client.send(greeting + connect_request(target.endpoint()));
        CHECK(client.receive_all() == std::pair(std::string("\5\xff", 2), End::fin));
    }
    CHECK(!target.somebody_within(milliseconds(50)));
}

TEST_CASE("a source that is not listed is reset before a byte is read") {
    Server server;
    server.listener.allow = {*Prefix::parse("203.0.113.0/24")};
    server.start();
    auto client = server.client();
    CHECK(client.receive_all() == std::pair(std::string(), End::rst));
}

TEST_CASE("a client may send byte by byte, or everything at once with its first payload") {
    Server server;
    server.start();
    TestListener target;
    const std::string handshake = std::string("\5\1\0", 3) + connect_request(target.endpoint());
    SUBCASE("byte by byte") {
        auto client = server.client();
        for (const char byte : handshake) {
            client.send({&byte, 1});
            std::this_thread::sleep_for(milliseconds(1));
        }
        auto accepted = target.accept();
        CHECK(client.receive(2) == std::string("\5\0", 2));
        CHECK(read_reply(client).reply == socks5::Reply::succeeded);
        check_talks(client, accepted);
    }
    SUBCASE("at once") {
        auto client = server.client();
        const std::string payload = random_bytes(100'000, 11);
        std::thread sends([&] {
            client.send(handshake + payload);
            client.send_fin();
        });
        auto accepted = target.accept();
        const auto received = accepted.receive_all();
        sends.join();
        CHECK(received.second == End::fin);
        CHECK((received.first == payload));
        accepted.send_fin();
        const auto answered = client.receive_all();
        CHECK(answered.first.size() == 12);
        CHECK(answered.second == End::fin);
    }
}

TEST_CASE("a silent client is hung up on, wherever it stops") {
    Server server;
    server.timeouts.handshake = milliseconds(100);
    server.start();
    const std::string handshake = std::string("\5\1\0", 3) + connect_request(dead_endpoint());
    for (std::size_t size = 0; size < handshake.size(); ++size) {
        auto client = server.client();
        client.send(std::string_view(handshake).substr(0, size));
        CHECK(client.wait_for_end() != End::timeout);
    }
}

TEST_CASE("a thousand stalled handshakes do not keep out a good client") {
    Server server;
    server.limits.max_strangers = 200;
    server.start();
    TestListener target;
    std::vector<Connection> stalled;
    for (int i = 0; i < 1000; ++i) {
        stalled.push_back(server.client());
        stalled.back().send("\5");
        if (i % 250 != 0) continue;
        auto client = server.greeted_client();
        client.send(connect_request(target.endpoint()));
        auto accepted = target.accept();
        CHECK(read_reply(client).reply == socks5::Reply::succeeded);
        check_talks(client, accepted);
    }
    // The oldest had to make room.
    CHECK(stalled.front().wait_for_end() != End::timeout);
    CHECK(!stalled.back().readable_within(milliseconds(0)));
}

TEST_CASE("beyond the limit of flows new ones wait until one ends") {
    Server server;
    server.limits.max_flows = 3;
    server.start();
    TestListener target;
    std::vector<Connection> clients;
    std::vector<Connection> accepted;
    const std::string handshake = std::string("\5\1\0", 3) + connect_request(target.endpoint());
    for (int i = 0; i < 5; ++i) {
        clients.push_back(server.client());
        clients.back().send(handshake);
        if (i < 3) {
            accepted.push_back(target.accept());
            CHECK(clients.back().receive(12).size() == 12);
        }
    }
    CHECK(!clients[3].readable_within(milliseconds(50)));
    clients[0].send_rst();
    CHECK(clients[3].receive(12).size() == 12);
    CHECK(!clients[4].readable_within(milliseconds(50)));
    clients[1].send_rst();
    CHECK(clients[4].receive(12).size() == 12);
}

TEST_CASE("without descriptors the listener waits without spinning, and goes on when there are some") {
    Server server;
    server.start();
    auto client = server.client();
    client.send({"\5\1\0", 3});
    CHECK(client.receive(2).size() == 2);
    TestListener target;
    const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
    rlimit usual{};
    ::getrlimit(RLIMIT_NOFILE, &usual);
    const rlimit none{0, usual.rlim_max};
    const auto cpu_time = [] {
        rusage usage{};
        ::getrusage(RUSAGE_SELF, &usage);
        return milliseconds((usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                            (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000);
    };
    const sockaddr_in address = to_sockaddr(server.listen);
    ::setrlimit(RLIMIT_NOFILE, &none);
    const int connected = ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    const auto before = cpu_time();
    std::this_thread::sleep_for(milliseconds(300));
    const auto used = cpu_time() - before;
    // A flow that is being opened fails alone.
    client.send(connect_request(target.endpoint()));
    const auto reply = read_reply(client).reply;
    ::setrlimit(RLIMIT_NOFILE, &usual);
    REQUIRE(connected == 0);
    CHECK(used < milliseconds(150));
    CHECK(reply == socks5::Reply::general_failure);
    CHECK(::send(socket.get(), "\5\1\0", 3, MSG_NOSIGNAL) == 3);
    char answer[2];
    CHECK(::recv(socket.get(), answer, sizeof answer, MSG_WAITALL) == 2);
}

TEST_CASE("nothing is left of flows, however they end") {
    TestListener target;
    const std::size_t before = open_descriptors();
    {
        Server server;
        server.timeouts.handshake = milliseconds(300);
        server.start();
        CHECK(reply_to(server, socks5::Destination::of(target.endpoint())) == socks5::Reply::succeeded);
        target.accept();
        // The listener and the loop stay.
        CHECK(eventually([&] { return open_descriptors() < before + 20; }));
        std::size_t settled = open_descriptors();
        const std::string handshake = std::string("\5\1\0", 3) + connect_request(target.endpoint());
        for (std::size_t size = 0; size <= handshake.size(); ++size)
            for (const bool abort : {false, true}) {
                auto client = server.client();
                client.send(std::string_view(handshake).substr(0, size));
                if (abort) client.send_rst();
            }
        for (int i = 0; i < 50; ++i) {
            auto client = server.greeted_client();
            client.send(connect_request(i % 2 ? dead_endpoint() : target.endpoint()));
            if (i % 5 == 0) client.send_rst();
        }
        CHECK(eventually([&] {
            while (target.somebody_within(milliseconds(0))) target.accept();
            return open_descriptors() <= settled;
        }));
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a reload changes who may come and where they listen, and keeps open flows") {
    Server server;
    server.start();
    TestListener target;
    auto client = server.greeted_client();
    client.send(connect_request(target.endpoint()));
    auto accepted = target.accept();
    CHECK(read_reply(client).reply == socks5::Reply::succeeded);

    server.listener.allow = {*Prefix::parse("203.0.113.0/24")};
    ProxyListener second;
    second.listen = {fresh_address(), 1080};
    second.to = server.listener.to;
    server.site.tunnel.listeners = {server.listener, second};
    (*server.worker)
        ->reload(unmarked(server.site), one(listen_on(ListenerKind::proxy, second.listen)),
                 std::vector<ListenerAddress>{});
    CHECK(eventually([&] { return server.client().wait_for_end() == End::rst; }));
    auto other = Connection::to(second.listen);
    other.send(std::string("\5\1\0", 3));
    CHECK(other.receive(2) == std::string("\5\0", 2));
    check_talks(client, accepted);

    server.site.tunnel.listeners = {second};
    (*server.worker)->reload(unmarked(server.site), {}, {{ListenerKind::proxy, server.listen}});
    CHECK(eventually([&] {
        const Fd probe(::socket(AF_INET, SOCK_STREAM, 0));
        const sockaddr_in address = to_sockaddr(server.listen);
        return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
    }));
    check_talks(client, accepted);
}

TEST_CASE("draining lets open flows finish") {
    Server server;
    server.start();
    TestListener target;
    auto client = server.greeted_client();
    client.send(connect_request(target.endpoint()));
    auto accepted = target.accept();
    CHECK(read_reply(client).reply == socks5::Reply::succeeded);
    (*server.worker)->drain();
    check_talks(client, accepted);
    client.send_fin();
    accepted.send_fin();
    CHECK(client.wait_for_end() == End::fin);
    CHECK(accepted.wait_for_end() == End::fin);
    server.worker->join();
}
