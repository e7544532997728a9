// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/http_server.h"

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "tunnel/http_request.h"
#include "tunnel_socks_server.h"

using namespace natctl;
using namespace natctl::test;
using std::chrono::milliseconds;

namespace {

/// Its clients may go anywhere on loopback.
struct Server : SocksServer {
    Server() {
        listener.protocol = ProxyProtocol::http;
        allow(*Prefix::parse("127.0.0.0/8"));
    }
};

std::string connect_request(const std::string& where, const std::string& fields = "") {
    return "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n" + fields + "\r\n";
}

std::string get_request(const Endpoint& target, const std::string& fields = "") {
    return "GET http://" + target.text() + "/path HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

std::string post_request(const Endpoint& target, const std::string& fields) {
    return "POST http://" + target.text() + "/ HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n";
}

/// Up to and with the empty line.
std::string receive_head(Connection& connection) {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        const std::string next = connection.receive(1);
        if (next.empty()) break;
        head += next;
    }
    return head;
}

/// What a client that sends all of this hears until the end.
std::string answer_to(const Server& server, const std::string& bytes) {
    auto client = server.client();
    client.send(bytes);
    const auto [text, end] = client.receive_all();
    CHECK(end == End::fin);
    return text;
}

bool refused(const std::string& answer, const std::string& status, const std::string& cause) {
    INFO(answer);
    const auto content = answer.find("\r\n\r\n") + 4;
    CHECK(answer.find("\r\nConnection: close\r\n") < content);
    CHECK(answer.find("\r\nContent-Length: " + std::to_string(answer.size() - content) + "\r\n") < content);
    return answer.starts_with("HTTP/1.1 " + status + ' ') && answer.find(cause, content) != std::string::npos;
}

} // namespace

TEST_CASE("CONNECT makes a tunnel, and bytes sent ahead are its first") {
    Server server;
    server.start();
    TestListener target;
    auto client = server.client();
    client.send(connect_request(target.endpoint().text()) + "ahead");
    auto accepted = target.accept();
    CHECK(receive_head(client) == http::established);
    CHECK(accepted.receive(5) == "ahead");
    check_talks(client, accepted);
    check_half_closes(client, accepted);
}

TEST_CASE("CONNECT to a host of the site by its name") {
    Server server;
    TestListener target;
    server.site.maps.push_back({host_prefix(target.endpoint().address), *Prefix::parse("192.168.1.20"), "printer", {}});
    server.start();
    auto client = server.client();
    client.send(connect_request("Printer.b:" + std::to_string(target.endpoint().port)));
    auto accepted = target.accept();
    CHECK(receive_head(client) == http::established);
    check_talks(client, accepted);
}

TEST_CASE("a request for http:// reaches the server in origin-form, and the response comes back as it is") {
    Server server;
    server.start();
    TestListener target;
    auto client = server.client();
    client.send(get_request(target.endpoint(), "Proxy-Connection: keep-alive\r\nA: b\r\n"));
    auto accepted = target.accept();
    CHECK(receive_head(accepted) == "GET /path HTTP/1.1\r\nHost: " + target.endpoint().text() +
                                        "\r\nA: b\r\nVia: 1.1 natctl\r\nConnection: close\r\n\r\n");
    const std::string response = "HTTP/1.1 200 OK\r\n\r\n" + random_bytes(3'000'000, 5);
    std::thread sends([&] {
        accepted.send(response);
        accepted.send_fin();
    });
    const auto received = client.receive_all();
    sends.join();
    CHECK(received.second == End::fin);
    CHECK((received.first == response));
}

TEST_CASE("content goes to the server whole, and nothing that follows it") {
    Server server;
    TestListener target;
    const std::string content = random_bytes(500'000, 3);
    std::string chunked;
    for (std::size_t at = 0; at < content.size(); at += 50'000)
        chunked += "C350\r\n" + content.substr(at, 50'000) + "\r\n";
    chunked += "0\r\n\r\n";
    const std::string length = "Content-Length: " + std::to_string(content.size()) + "\r\n";
    SUBCASE("") {}
    // Without pipes the relay copies by another way.
    SUBCASE("without pipes") { server.limits.max_pipes = 0; }
    server.start();
    for (const bool is_chunked : {false, true}) {
        CAPTURE(is_chunked);
        const std::string field = is_chunked ? "Transfer-Encoding: chunked\r\n" : length;
        const std::string& body = is_chunked ? chunked : content;
        auto client = server.client();
        std::thread sends([&] { client.send(post_request(target.endpoint(), field) + body); });
        auto accepted = target.accept();
        receive_head(accepted);
        CHECK((accepted.receive(body.size()) == body));
        sends.join();
        accepted.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        CHECK(receive_head(client).starts_with("HTTP/1.1 200 OK"));
        // The server leaves the connection open: it still gets no second request, and the client hears that at once.
        client.send(get_request(dead_endpoint(), "Cookie: secret\r\n"));
        CHECK(client.receive_all() == std::pair(std::string(), End::rst));
        CHECK(accepted.receive_all() == std::pair(std::string(), End::rst));
    }
}

TEST_CASE("a half-closed client still gets its response") {
    Server server;
    server.start();
    TestListener target;
    auto client = server.client();
    client.send(post_request(target.endpoint(), "Content-Length: 3\r\n") + "abc");
    client.send_fin();
    auto accepted = target.accept();
    receive_head(accepted);
    CHECK(accepted.receive_all() == std::pair(std::string("abc"), End::fin));
    accepted.send("answer");
    accepted.send_fin();
    CHECK(client.receive_all() == std::pair(std::string("answer"), End::fin));
}

TEST_CASE("a client may send byte by byte") {
    Server server;
    server.start();
    TestListener target;
    auto client = server.client();
    for (const char byte : post_request(target.endpoint(), "Content-Length: 2\r\n") + "ab") client.send({&byte, 1});
    auto accepted = target.accept();
    CHECK(receive_head(accepted).starts_with("POST / HTTP/1.1\r\n"));
    CHECK(accepted.receive(2) == "ab");
}

TEST_CASE("refusals say why, and dial nothing") {
    Server server;
    server.start();
    TestListener target;
    const auto answer = [&](const std::string& bytes) { return answer_to(server, bytes); };
    CHECK(refused(answer(get_request(dead_endpoint())), "502", "cannot connect: Connection refused; nothing listens"));
    CHECK(refused(answer(connect_request(dead_endpoint().text())), "502", "Connection refused"));
    for (const std::string where : {"203.0.113.1:80", "[::ffff:203.0.113.1]:80", "0.0.0.0:80", "[::1]:80"})
        CHECK(refused(answer(connect_request(where)), "403",
                      "this listener does not go there; `to` of [[tunnel.http]] allows more"));
    CHECK(refused(answer(connect_request(server.listen.text())), "403", "does not go there"));
    CHECK(refused(answer(get_request(server.listen)), "403", "does not go there"));
    CHECK(refused(answer(get_request(target.endpoint()) + get_request(target.endpoint())), "400", "more than one"));
    CHECK(refused(answer("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), "400", "this is a proxy"));
    CHECK(refused(answer("GET https://h/ HTTP/1.1\r\nHost: h\r\n\r\n"), "501", "use CONNECT"));
    CHECK(refused(answer(std::string("\5\1\0", 3)), "400", "does not speak HTTP"));
    CHECK(refused(answer("GET / HTTP/1.1\n\n"), "400", "does not speak HTTP"));
    CHECK(refused(answer("GET http://h/ HTTP/1.1\r\nA: " + std::string(20'000, 'a')), "431", "longer than 16 KiB"));
    // HEAD has no content, whatever its answer.
    CHECK(answer("HEAD http://203.0.113.1/ HTTP/1.1\r\nHost: h\r\n\r\n").ends_with("\r\n\r\n"));
    CHECK(!target.somebody_within(milliseconds(50)));
}

TEST_CASE("user and password: nothing is dialled before they are right, and they go no further") {
    Server server;
    const PasswordFile file("secret");
    server.listener.credentials = Credentials{"a", file.path(), {}};
    server.start();
    TestListener target;
    for (const char* field : {"", "Proxy-Authorization: Basic YTpTZWNyZXQ=\r\n",
                              "Authorization: Basic YTpzZWNyZXQ=\r\n", "Proxy-Authorization: Basic YjpzZWNyZXQ=\r\n",
                              "Proxy-Authorization: Digest a\r\n", "Proxy-Authorization: Basic Og==\r\n"})
        for (const auto& request :
             {get_request(target.endpoint(), field), connect_request(target.endpoint().text(), field)}) {
            const auto answer = answer_to(server, request);
            CHECK(refused(answer, "407", "user"));
            CHECK(answer.find("\r\nProxy-Authenticate: Basic realm=\"natctl\"\r\n") != std::string::npos);
        }
    CHECK(!target.somebody_within(milliseconds(50)));
    auto client = server.client();
    client.send(get_request(target.endpoint(), "Proxy-Authorization: Basic YTpzZWNyZXQ=\r\n"));
    auto accepted = target.accept();
    CHECK(receive_head(accepted).find("Authorization") == std::string::npos);
}

TEST_CASE("a source that is not listed is reset before a byte is read") {
    Server server;
    server.listener.allow = {*Prefix::parse("203.0.113.0/24")};
    server.start();
    CHECK(server.client().receive_all() == std::pair(std::string(), End::rst));
}

TEST_CASE("a slow head is answered and a silent client is hung up on") {
    Server server;
    server.timeouts.handshake = milliseconds(100);
    server.start();
    CHECK(refused(answer_to(server, "GET http://h/ HTT"), "408", "too slow"));
    CHECK(answer_to(server, "").empty());
}

TEST_CASE("stalled heads do not keep out a good client") {
    Server server;
    server.limits.max_strangers = 50;
    server.start();
    TestListener target;
    std::vector<Connection> stalled;
    for (int i = 0; i < 200; ++i) {
        stalled.push_back(server.client());
        stalled.back().send("GET ");
    }
    auto client = server.client();
    client.send(connect_request(target.endpoint().text()));
    auto accepted = target.accept();
    CHECK(receive_head(client) == http::established);
    check_talks(client, accepted);
    // The oldest had to make room, the latest did not.
    CHECK(refused(stalled.front().receive_all().first, "408", "too slow"));
    CHECK(!stalled.back().readable_within(milliseconds(0)));
}

TEST_CASE("nothing is left of requests, however they end") {
    TestListener target;
    const std::size_t before = open_descriptors();
    {
        Server server;
        server.timeouts.handshake = milliseconds(300);
        server.start();
        {
            auto client = server.client();
            client.send(connect_request(target.endpoint().text()));
            target.accept();
            CHECK(receive_head(client) == http::established);
        }
        CHECK(eventually([&] { return open_descriptors() < before + 20; }));
        const std::size_t settled = open_descriptors();
        const std::string request = post_request(target.endpoint(), "Content-Length: 5\r\n") + "abc";
        for (std::size_t size = 0; size <= request.size(); size += 7)
            for (const bool abort : {false, true}) {
                auto client = server.client();
                client.send(std::string_view(request).substr(0, size));
                if (abort) client.send_rst();
            }
        for (const auto& all :
             {get_request(dead_endpoint()), request, request + "defg", std::string("x y z\r\n\r\n")}) {
            auto client = server.client();
            client.try_send(all);
        }
        CHECK(eventually([&] {
            while (target.somebody_within(milliseconds(0))) target.accept();
            return open_descriptors() <= settled;
        }));
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a reload changes the protocol in place") {
    Server server;
    server.start();
    server.listener.protocol = ProxyProtocol::socks5;
    server.site.tunnel.listeners = {server.listener};
    (*server.worker)->reload(unmarked(server.site), {}, {});
    CHECK(eventually([&] {
        auto client = server.client();
        client.send({"\5\1\0", 3});
        return client.receive(2) == std::string("\5\0", 2);
    }));
}
