// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "agent/web_request.h"

using namespace natctl::web;

namespace {

const std::string good = "GET /metrics?x=1 HTTP/1.1\r\nHost: localhost:9117\r\nAccept: */*\r\n\r\n";

Request read(const std::string& text) {
    INFO(text);
    const auto parsed = parse(text);
    REQUIRE(std::holds_alternative<Request>(parsed));
    return std::get<Request>(parsed);
}

unsigned refusal_of(const std::string& text) {
    const auto parsed = parse(text);
    const auto* refusal = std::get_if<Refusal>(&parsed);
    return refusal == nullptr ? 0 : refusal->status;
}

/// 0: it is answered.
unsigned objection_to(const std::string& fields) {
    const auto refusal = objection(read("GET / HTTP/1.1\r\n" + fields + "\r\n"));
    return refusal ? refusal->status : 0;
}

} // namespace

TEST_CASE("a request, in pieces and whole") {
    for (std::size_t size = 0; size < good.size(); ++size)
        CHECK(std::holds_alternative<Unfinished>(parse(good.substr(0, size))));
    const auto request = read(good + "content");
    CHECK(request.path == "/metrics");
    CHECK(request.host == "localhost:9117");
    CHECK(!request.head_only);
    CHECK(read("HEAD / HTTP/1.0\r\nhOST:\t[::1] \r\nOrigin:http://[::1]\r\nSec-Fetch-Site: none\r\n\r\n").head_only);
    CHECK(read("GET / HTTP/1.1\r\n\r\n").host.empty());
}

TEST_CASE("what is no request") {
    const auto line = [](const std::string& text) { return refusal_of(text + "\r\nHost: localhost\r\n\r\n"); };
    CHECK(line("GET / HTTP/1.1") == 0);
    CHECK(line("POST / HTTP/1.1") == 405);
    CHECK(line("OPTIONS * HTTP/1.1") == 405);
    CHECK(line("get / HTTP/1.1") == 405);
    CHECK(line("GET / HTTP/2.0") == 505);
    CHECK(line("GET http://localhost/ HTTP/1.1") == 400);
    for (const char* text : {"", "GET", "GET /", "GET  HTTP/1.1", "GET / x HTTP/1.1", "G\tT / HTTP/1.1", " / HTTP/1.1",
                             "GET /\x01 HTTP/1.1", "\x16\x03\x01"})
        CHECK(refusal_of(std::string(text) + "\r\nHost: localhost\r\n\r\n") == 400);
    for (const char* field : {"Host", "Host:", "Host : a", ": a", " folded: a", "Host: a\nb: c", "Host: a\r\nHost: a",
                              "Origin: a\r\norigin: b", "X: \x7f"})
        CHECK(refusal_of("GET / HTTP/1.1\r\n" + std::string(field) + "\r\n\r\n") == 400);
}

TEST_CASE("a request that is too long") {
    const std::string start = "GET / HTTP/1.1\r\nHost: localhost\r\nX: ";
    const auto filler = [&](std::size_t size) { return std::string(size - start.size() - 4, 'x'); };
    CHECK(refusal_of(start + filler(longest_request) + "\r\n\r\n") == 0);
    CHECK(refusal_of(start + filler(longest_request + 1) + "\r\n\r\n") == 431);
    CHECK(refusal_of(std::string(longest_request, 'x')) == 431);
    CHECK(refusal_of(std::string(longest_request - 1, 'x')) == 0);
}

TEST_CASE("only this machine is meant") {
    for (const char* host : {"localhost", "LocalHost:1", "127.0.0.1:9117", "127.1.2.3", "[::1]", "[::1]:80"})
        CHECK_MESSAGE(objection_to("Host: " + std::string(host) + "\r\n") == 0, host);
    for (const char* host :
         {"attacker.example", "attacker.example:9117", "localhost.attacker.example", "127.0.0.1.attacker.example",
          "192.168.1.1:9117", "0.0.0.0", "[::]:80", "::1", "[127.0.0.1]", "[::1", "localhost:", "localhost:9x",
          "localhost@attacker.example", "[::1]x:80"})
        CHECK_MESSAGE(objection_to("Host: " + std::string(host) + "\r\n") == 421, host);
    CHECK(objection_to("") == 400);
}

TEST_CASE("nobody asks in somebody else's name") {
    const std::string host = "Host: localhost:9117\r\n";
    CHECK(objection_to(host + "Origin: http://localhost:9117\r\n") == 0);
    CHECK(objection_to(host + "Sec-Fetch-Site: same-origin\r\n") == 0);
    CHECK(objection_to(host + "Sec-Fetch-Site: none\r\n") == 0);
    for (const char* field :
         {"Origin: https://localhost:9117", "Origin: http://localhost", "Origin: null",
          "Origin: http://attacker.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"})
        CHECK_MESSAGE(objection_to(host + field + "\r\n") == 403, field);
}

TEST_CASE("answers") {
    const Response response{.type = "text/plain", .content = "hello"};
    const auto bytes = to_bytes(response, false);
    CHECK(bytes.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(bytes.ends_with("\r\n\r\nhello"));
    for (const char* field :
         {"Content-Length: 5\r\n", "Connection: close\r\n", "Cache-Control: no-store\r\n", "default-src 'none'",
          "frame-ancestors 'none'", "X-Content-Type-Options: nosniff\r\n", "X-Frame-Options: DENY\r\n"})
        CHECK_MESSAGE(bytes.find(field) != std::string::npos, field);
    CHECK(bytes.find("Access-Control") == std::string::npos);
    CHECK(to_bytes(response, true) == bytes.substr(0, bytes.size() - 5));
    const auto refused = to_bytes(Refusal{405, "only GET and HEAD are answered"}, false);
    CHECK(refused.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
    CHECK(refused.find("Allow: GET, HEAD\r\n") != std::string::npos);
    CHECK(refused.ends_with("405 Method Not Allowed: only GET and HEAD are answered\n"));
}
