// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/http_head.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "tunnel/base64.h"

using namespace natctl;
using namespace natctl::http;
using State = HeadScanner::State;

namespace {

socks5::View view(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

State scan(std::string_view text) {
    HeadScanner at_once;
    const State state = at_once.scan(view(text));
    HeadScanner slow;
    for (std::size_t size = 0; size <= text.size(); ++size) slow.scan(view(text.substr(0, size)));
    CHECK(slow.scan(view(text)) == state);
    CHECK(slow.size() == at_once.size());
    return state;
}

unsigned status_of(std::string_view head) {
    const auto parsed = parse_head(head);
    const auto* refusal = std::get_if<Refusal>(&parsed);
    return refusal ? refusal->status : 0;
}

unsigned status_with(const std::string& field) { return status_of("GET http://h/ HTTP/1.1\r\n" + field + "\r\n\r\n"); }

} // namespace

TEST_CASE("the end of a head is an empty line, and what follows is not looked at") {
    const std::string head = "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n";
    HeadScanner scanner;
    CHECK(scanner.scan(view(head + "\n\n\x7f body")) == State::done);
    CHECK(scanner.size() == head.size());
    CHECK(scan(head) == State::done);
    for (std::size_t size = 0; size < head.size(); ++size) CHECK(scan(head.substr(0, size)) == State::incomplete);
}

TEST_CASE("line ends that parsers disagree about are malformed, and so is what is no text") {
    using namespace std::string_view_literals;
    for (const auto text : {"GET / HTTP/1.1\n\n"sv, "GET / HTTP/1.1\r\n\n"sv, "GET / HTTP/1.1\rHost: h\r\n\r\n"sv,
                            "GET /\0 HTTP/1.1\r\n\r\n"sv, "GET / HTTP/1.1\r\nA: \x7f\r\n\r\n"sv,
                            "GET / HTTP/1.1\r\nA: \x1b[2J\r\n\r\n"sv, "GET / HTTP/1.1\r\n\r\r\n"sv}) {
        CAPTURE(text);
        CHECK(scan(text) == State::malformed);
    }
    // Other protocols show in their first byte: SOCKS5, SOCKS4, TLS; and an empty line.
    for (const auto text : {"\5\1\0"sv, "\4\1"sv, "\x16\3\1"sv, "\r\n"sv, "\n"sv, " GET"sv, "\xff"sv})
        CHECK(scan(text.substr(0, 1)) == State::malformed);
    CHECK(scan("GET / HTTP/1.1\r\nA: \xc3\xa4\t\r\n\r\n") == State::done);
}

TEST_CASE("a head has at most 16 KiB") {
    const auto of_size = [](std::size_t size) {
        std::string head = "GET / HTTP/1.1\r\nA: ";
        head.resize(size - 4, 'a');
        return head + "\r\n\r\n";
    };
    HeadScanner scanner;
    CHECK(scanner.scan(view(of_size(max_head))) == State::done);
    CHECK(scanner.size() == max_head);
    HeadScanner other;
    CHECK(other.scan(view(of_size(max_head + 1))) == State::too_large);
    CHECK(other.scan(view(of_size(max_head + 1) + "more")) == State::too_large);
}

TEST_CASE("a head in its parts") {
    const auto parsed = parse_head("POST http://h/a HTTP/1.0\r\nHost:h\r\nA: \t b c\t \r\nEmpty:\r\n\r\n");
    REQUIRE(std::holds_alternative<Head>(parsed));
    const Head& head = std::get<Head>(parsed);
    CHECK(head.method == "POST");
    CHECK(head.target == "http://h/a");
    CHECK(head.version == "HTTP/1.0");
    REQUIRE(head.fields.size() == 3);
    CHECK(head.fields[0].value == "h");
    CHECK(head.fields[1].value == "b c");
    CHECK(head.fields[2].value.empty());
}

TEST_CASE("request lines that are refused") {
    for (const auto& request : {std::pair<std::string, unsigned>{"GET", 400},
                                {"GET /", 400},
                                {"GET / ", 400},
                                {"GET  / HTTP/1.1", 400},
                                {"GET /  HTTP/1.1", 400},
                                {"GET /a b HTTP/1.1", 400},
                                {"GET\t/ HTTP/1.1", 400},
                                {"G(T / HTTP/1.1", 400},
                                {"GET /\xc3\xa4 HTTP/1.1", 400},
                                {"GET / http/1.1", 400},
                                {"GET / HTTP/1.1 ", 400},
                                {"GET / HTTP/1.2", 505},
                                {"GET / HTTP/2.0", 505},
                                {"PRI * HTTP/2.0", 505},
                                {"GET / HTTP/11", 505},
                                {"GET / HTTP/1.1", 0}}) {
        CAPTURE(request.first);
        CHECK(status_of(request.first + "\r\n\r\n") == request.second);
    }
}

TEST_CASE("header fields that are refused") {
    for (const char* field : {"A", "A : b", "A\t: b", ": b", " A: b", "A: b\r\n folded: c", "A: b\r\n\tc", "A(: b",
                              "A B: c", "\xc3\xa4: b"}) {
        CAPTURE(field);
        CHECK(status_with(field) == 400);
    }
    CHECK(status_with("A: b: c") == 0);
}

TEST_CASE("base64") {
    CHECK(decode_base64("") == "");
    CHECK(decode_base64("Zg==") == "f");
    CHECK(decode_base64("Zm8=") == "fo");
    CHECK(decode_base64("Zm9v") == "foo");
    CHECK(decode_base64("QWxhZGRpbjpvcGVuIHNlc2FtZQ==") == "Aladdin:open sesame");
    CHECK(decode_base64("//79") == "\xff\xfe\xfd");
    for (const char* text : {"Zg=", "Zg", "Z", "====", "Zg==Zg==", "Z===", "Zm9-", "Zm 9", "=Zm9"})
        CHECK(!decode_base64(text));
}
