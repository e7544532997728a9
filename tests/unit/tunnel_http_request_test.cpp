// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/http_request.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace natctl;
using namespace natctl::http;

namespace {

std::string get(const std::string& fields, const std::string& target = "http://h/") {
    return "GET " + target + " HTTP/1.1\r\n" + fields + "\r\n";
}

Request good(const std::string& head) {
    auto parsed = parse_request(head);
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) FAIL(head << refusal->status << ' ' << refusal->cause);
    return std::get<Request>(std::move(parsed));
}

unsigned status_of(const std::string& head) {
    const auto parsed = parse_request(head);
    const auto* refusal = std::get_if<Refusal>(&parsed);
    return refusal ? refusal->status : 0;
}

unsigned status_with(const std::string& fields) { return status_of(get("Host: h\r\n" + fields)); }

std::string where(const std::string& target, const std::string& method = "GET") {
    return good(method + " " + target + " HTTP/1.1\r\nHost: h\r\n\r\n").destination.text();
}

/// Request line and Host as the server gets them.
std::string start(const std::string& target, const std::string& method = "GET") {
    const auto head = good(method + " " + target + " HTTP/1.1\r\nHost: other\r\n\r\n").head;
    return head.substr(0, head.find("\r\nVia"));
}

} // namespace

TEST_CASE("a request for http:// goes on in origin-form, without what is for the proxy alone") {
    const auto request = good("POST http://Printer.b:8080/a/b?c=d HTTP/1.1\r\n"
                              "Host: elsewhere\r\n"
                              "User-Agent: x\r\n"
                              "Connection: keep-alive, X-Secret ,,\tfoo\r\n"
                              "Proxy-Connection: keep-alive\r\n"
                              "proxy-authorization: Basic YTpi\r\n"
                              "Keep-Alive: 5\r\nTE: trailers\r\nTrailer: T\r\nUpgrade: h2c\r\n"
                              "x-secret: 1\r\nFOO: 2\r\nX-Kept:  a  b \r\nX-Kept: c\r\n"
                              "Content-Length: 3\r\n\r\n");
    CHECK(request.destination.text() == "Printer.b:8080");
    CHECK(!request.is_connect);
    REQUIRE(request.credentials);
    CHECK(*request.credentials == socks5::UserPassword{"a", "b"});
    CHECK(request.head == "POST /a/b?c=d HTTP/1.1\r\nHost: Printer.b:8080\r\nUser-Agent: x\r\nX-Kept: a  b\r\n"
                          "X-Kept: c\r\nContent-Length: 3\r\nVia: 1.1 natctl\r\nConnection: close\r\n\r\n");
    BodyMeter body = request.body;
    CHECK(body.take(socks5::Bytes(5)) == 3);
}

TEST_CASE("targets of http://") {
    CHECK(where("http://h/") == "h:80");
    CHECK(where("HTTP://h:/") == "h:80");
    CHECK(where("http://192.0.2.1:81/") == "192.0.2.1:81");
    CHECK(where("http://[2001:db8::1]/") == "[2001:db8::1]:80");
    CHECK(where("http://[2001:DB8::1]:8/") == "[2001:db8::1]:8");
    CHECK(good(get("Host: h\r\n", "http://192.0.2.1/")).destination.address() != nullptr);
    CHECK(start("http://h") == "GET / HTTP/1.1\r\nHost: h");
    CHECK(start("http://h:80/x//y") == "GET /x//y HTTP/1.1\r\nHost: h");
    CHECK(start("http://h:81?q") == "GET /?q HTTP/1.1\r\nHost: h:81");
    CHECK(start("http://[2001:db8::1]:81/?@:") == "GET /?@: HTTP/1.1\r\nHost: [2001:db8::1]:81");
    CHECK(start("http://h:81", "OPTIONS") == "OPTIONS * HTTP/1.1\r\nHost: h:81");
    CHECK(start("http://h/", "OPTIONS") == "OPTIONS / HTTP/1.1\r\nHost: h");
    for (const char* target : {"http://",
                               "http:///",
                               "http://:80/",
                               "http://u@h/",
                               "http://u:p@h/",
                               "http://h@/",
                               "http://h:0/",
                               "http://h:65536/",
                               "http://h:8a/",
                               "http://h:-1/",
                               "http://h:80:80/",
                               "http://[2001:db8::1/",
                               "http://[h]/",
                               "http://[192.0.2.1]/",
                               "http://[]/",
                               "http://[::1]x/",
                               "http://2001:db8::1/",
                               "http://h%2e/",
                               "http://h\\g/",
                               "http://h,g/",
                               "http://h/#f",
                               "http://h#f",
                               "/",
                               "*",
                               "h:80",
                               "//h/",
                               "http:h",
                               "http:/h",
                               "://h/"}) {
        CAPTURE(target);
        const unsigned status = status_of(get("Host: h\r\n", target));
        // A scheme that is none is another scheme.
        CHECK((status == 400 || (status == 501 && std::string_view(target) == "://h/")));
    }
    for (const char* target : {"https://h/", "ftp://h/", "ws://h/"})
        CHECK(status_of(get("Host: h\r\n", target)) == 501);
    CHECK(status_of(get("Host: h\r\n", "http://" + std::string(256, 'a') + "/")) == 400);
    CHECK(status_of(get("Host: h\r\n", "http://" + std::string(255, 'a') + "/")) == 0);
}

TEST_CASE("CONNECT") {
    const auto request = good("CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\nContent-Length: 0\r\n\r\n");
    CHECK(request.is_connect);
    CHECK(request.head.empty());
    CHECK(request.destination.text() == "h:443");
    CHECK(where("192.0.2.1:22", "CONNECT") == "192.0.2.1:22");
    CHECK(where("[2001:db8::1]:22", "CONNECT") == "[2001:db8::1]:22");
    CHECK(good("CONNECT h:1 HTTP/1.0\r\n\r\n").is_connect);
    for (const char* target : {"h", "h:", ":80", "h:0", "h:65536", "http://h:80", "http://h/", "u@h:80", "h:80/",
                               "[::1]", "::1:80", "2001:db8::1:80", "*", "/"}) {
        CAPTURE(target);
        CHECK(status_of("CONNECT " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n\r\n") == 400);
    }
    CHECK(status_of("CONNECT h:1 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n") == 400);
    CHECK(status_of("CONNECT h:1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
    // A method has its case.
    CHECK(status_of("connect h:1 HTTP/1.1\r\nHost: h\r\n\r\n") == 400);
}

TEST_CASE("what could be two requests to two parsers is refused") {
    CHECK(status_with("Content-Length: 3\r\n") == 0);
    CHECK(status_with("Transfer-Encoding: Chunked\r\n") == 0);
    CHECK(status_with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") == 400);
    CHECK(status_with("Content-Length: 3\r\ncontent-length: 3\r\n") == 400);
    CHECK(status_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == 400);
    for (const char* value : {"", "3, 3", "+3", "-3", "0x3", "3 3", "3a", "18446744073709551616"})
        CHECK(status_with("Content-Length: " + std::string(value) + "\r\n") == 400);
    for (const char* value : {"", "gzip", "gzip, chunked", "chunked, gzip", "identity", "xchunked", "chunked;q=1"})
        CHECK(status_with("Transfer-Encoding: " + std::string(value) + "\r\n") == 501);
    CHECK(status_of("POST http://h/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
    for (const char* name : {"Content-Length", "transfer-encoding", "close, Host", "a b", "\"x\""})
        CHECK(status_with("Connection: " + std::string(name) + "\r\n") == 400);
    CHECK(status_with("Connection: close\r\n") == 0);
}

TEST_CASE("Host is there once, and the target wins") {
    CHECK(status_of(get("")) == 400);
    CHECK(status_of(get("Host: h\r\nHost: h\r\n")) == 400);
    for (const char* value : {"a b", "a,b", "a/b", "u@h"})
        CHECK(status_of(get("Host: " + std::string(value) + "\r\n")) == 400);
    CHECK(status_of(get("Host:\r\n")) == 0);
    const auto old = good("GET http://h/ HTTP/1.0\r\n\r\n");
    CHECK(old.head == "GET / HTTP/1.0\r\nHost: h\r\nVia: 1.0 natctl\r\nConnection: close\r\n\r\n");
}

TEST_CASE("methods that count proxies are not passed on") {
    CHECK(status_of("TRACE http://h/ HTTP/1.1\r\nHost: h\r\n\r\n") == 501);
    CHECK(status_of("OPTIONS http://h/ HTTP/1.1\r\nHost: h\r\nMax-Forwards: 1\r\n\r\n") == 501);
    CHECK(status_of("OPTIONS http://h/ HTTP/1.1\r\nHost: h\r\n\r\n") == 0);
}

TEST_CASE("user and password") {
    const auto given = [](const std::string& value) {
        return good(get("Host: h\r\nProxy-Authorization: " + value + "\r\n")).credentials;
    };
    CHECK(given("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == socks5::UserPassword{"Aladdin", "open sesame"});
    CHECK(given("bASIC   YTpiOmM=") == socks5::UserPassword{"a", "b:c"});
    CHECK(given("Basic Og==") == socks5::UserPassword{"", ""});
    for (const char* value : {"", "Basic", "Basic ", "Basic YQ==", "Basic YTpi YTpi", "Basic %", "Digest YTpi", "YTpi"})
        CHECK(!given(value));
    // Longer ones than there can be are wrong whatever they are: 255 times "a", and once more.
    const std::string eighty_five = [] {
        std::string text;
        for (int i = 0; i < 85; ++i) text += "YWFh";
        return text;
    }();
    CHECK(given("Basic " + eighty_five + "Og=="));
    CHECK(!given("Basic " + eighty_five + "YTo="));
    CHECK(status_with("Proxy-Authorization: Basic YTpi\r\nProxy-Authorization: Basic YTpi\r\n") == 400);
    CHECK(!good(get("Host: h\r\nAuthorization: Basic YTpi\r\n")).credentials);
}

TEST_CASE("answers name cause and way out in one line, and close") {
    CHECK(answer({403, "no", "do"}) ==
          "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 7\r\n"
          "Connection: close\r\n\r\nno; do\n");
    CHECK(answer({504, "late", ""}, true).ends_with("Content-Length: 5\r\nConnection: close\r\n\r\n"));
    CHECK(answer({407, "who", ""}).find("\r\nProxy-Authenticate: Basic realm=\"natctl\"\r\n") != std::string::npos);
}
