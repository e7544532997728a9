// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/socks5.h"

#include <numeric>

#include <doctest/doctest.h>

#include "tunnel/constant_time.h"

using namespace natctl;
using namespace natctl::socks5;

namespace {

Bytes bytes_of(std::initializer_list<int> list) {
    Bytes bytes;
    for (const int byte : list) bytes.push_back(static_cast<std::uint8_t>(byte));
    return bytes;
}

Bytes joined(Bytes first, const Bytes& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

/// Every shorter beginning is incomplete, the whole is `expected`, and what follows is left alone.
template <class T>
void check_parsed(Parsed<T> (*parse)(View), const Bytes& message, const T& expected) {
    for (std::size_t size = 0; size < message.size(); ++size) {
        const auto parsed = parse(View(message).first(size));
        INFO("after " << size << " of " << message.size() << " bytes");
        CHECK(!parsed.done());
        CHECK(!parsed.is_malformed());
    }
    for (const Bytes& after : {Bytes{}, Bytes{5}, Bytes(600, 0xff)}) {
        const auto parsed = parse(joined(message, after));
        REQUIRE(parsed.done());
        CHECK(parsed.value() == expected);
        CHECK(parsed.used() == message.size());
    }
}

template <class T>
void check_malformed(Parsed<T> (*parse)(View), const Bytes& message) {
    CHECK(parse(message).is_malformed());
    CHECK(!parse(message).done());
}

Destination at(const char* address, std::uint16_t port) { return {*Address::parse(address), port}; }

std::string of_length(std::size_t length) {
    std::string text(length, ' ');
    std::iota(text.begin(), text.end(), '\1');
    return text;
}

} // namespace

TEST_CASE("a greeting is read at any split") {
    check_parsed(parse_greeting, bytes_of({5, 0}), Greeting{});
    check_parsed(parse_greeting, bytes_of({5, 1, 0}), Greeting{true, false});
    check_parsed(parse_greeting, bytes_of({5, 1, 2}), Greeting{false, true});
    check_parsed(parse_greeting, bytes_of({5, 3, 1, 2, 0}), Greeting{true, true});
    check_parsed(parse_greeting, bytes_of({5, 2, 1, 0x80}), Greeting{false, false});
    Bytes longest = bytes_of({5, 255});
    longest.resize(257, 1);
    longest[200] = 2;
    check_parsed(parse_greeting, longest, Greeting{false, true});
}

TEST_CASE("what is no greeting is known by its first byte") {
    check_malformed(parse_greeting, bytes_of({4, 1, 0, 80, 127, 0, 0, 1, 0}));
    check_malformed(parse_greeting, bytes_of({0x16, 3, 1}));
    check_malformed(parse_greeting, bytes_of("GET / HTTP/1.0"));
    check_malformed(parse_greeting, bytes_of({0}));
}

TEST_CASE("users and passwords of all lengths go there and back") {
    for (const std::size_t user : {1u, 2u, 127u, 128u, 254u, 255u})
        for (const std::size_t password : {1u, 255u}) {
            const UserPassword value{of_length(user), of_length(password)};
            check_parsed(parse_user_password, user_password(value), value);
        }
    // A server reads what RFC 1929 does not allow and refuses it by comparison.
    check_parsed(parse_user_password, bytes_of({1, 0, 0}), UserPassword{});
    check_malformed(parse_user_password, bytes_of({5, 1, 'u', 1, 'p'}));
}

TEST_CASE("requests of all address types go there and back") {
    const std::vector<Destination> destinations{
        at("240.2.2.20", 80),
        at("0.0.0.0", 0),
        at("255.255.255.255", 65535),
        at("fd00::1", 443),
        at("::", 1),
        at("::ffff:127.0.0.1", 22),
        {"web.b", 8080},
        {of_length(1), 0x1234},
        {of_length(255), 0xfedc},
    };
    for (const Destination& destination : destinations)
        for (const auto command : {Command::connect, Command::bind, Command::udp_associate})
            check_parsed(parse_request, request(command, destination),
                         Request{static_cast<std::uint8_t>(command), destination});
}

TEST_CASE("odd requests") {
    // An empty name is well-formed; it is for the access rules to refuse.
    check_parsed(parse_request, bytes_of({5, 1, 0, 3, 0, 0, 80}), Request{1, Destination{std::string(), 80}});
    // The reserved byte and unknown commands pass.
    check_parsed(parse_request, bytes_of({5, 0xf0, 0xff, 1, 1, 2, 3, 4, 0, 80}), Request{0xf0, at("1.2.3.4", 80)});
    // Nobody knows the length of an unknown type.
    const auto unknown = parse_request(bytes_of({5, 1, 0, 2, 9, 9, 9}));
    REQUIRE(unknown.done());
    CHECK(unknown.value() == Request{1, std::nullopt});
    check_malformed(parse_request, bytes_of({4, 1, 0, 1}));
}

TEST_CASE("bytes sent ahead belong to the next message") {
    const UserPassword credentials{"a", "secret"};
    const Destination destination{"d.b", 80};
    Bytes stream = joined(joined(greeting(true), user_password(credentials)), request(Command::connect, destination));
    stream = joined(stream, bytes_of("GET /"));
    View rest = stream;
    const auto first = parse_greeting(rest);
    REQUIRE(first.done());
    CHECK(first.value() == Greeting{true, true});
    rest = rest.subspan(first.used());
    const auto second = parse_user_password(rest);
    REQUIRE(second.done());
    CHECK(second.value() == credentials);
    rest = rest.subspan(second.used());
    const auto third = parse_request(rest);
    REQUIRE(third.done());
    CHECK(third.value().destination == destination);
    rest = rest.subspan(third.used());
    CHECK(std::string(rest.begin(), rest.end()) == "GET /");
}

TEST_CASE("what a server says is read at any split") {
    for (const int method : {0, 1, 2, 255})
        check_parsed(parse_method_choice, bytes_of({5, method}), static_cast<std::uint8_t>(method));
    CHECK(method_choice(Method::refused) == bytes_of({5, 255}));
    check_malformed(parse_method_choice, bytes_of({4, 0}));
    check_malformed(parse_method_choice, bytes_of("HTTP/1.1 400"));

    check_parsed(parse_user_password_status, user_password_status(true), true);
    check_parsed(parse_user_password_status, user_password_status(false), false);
    check_parsed(parse_user_password_status, bytes_of({5, 0}), true);

    check_parsed(parse_reply, reply(Reply::succeeded), ReplyMessage{Reply::succeeded, at("0.0.0.0", 0)});
    check_parsed(parse_reply, reply(Reply::succeeded, {*Address::parse("fd00::7"), 4711}),
                 ReplyMessage{Reply::succeeded, at("fd00::7", 4711)});
    check_parsed(parse_reply, bytes_of({5, 0, 0, 3, 2, 'm', 'e', 0, 9}),
                 ReplyMessage{Reply::succeeded, Destination{"me", 9}});
    check_malformed(parse_reply, bytes_of({5, 0, 0, 7, 1, 2, 3}));
    check_malformed(parse_reply, bytes_of({0, 0x5a, 0, 80, 1, 2, 3, 4}));
}

TEST_CASE("a refusal counts from its second byte on, whatever follows") {
    for (int code = 1; code < 256; ++code)
        for (const Bytes& after : {Bytes{}, bytes_of({0}), bytes_of({0, 1, 0, 0, 0, 0, 0, 0}), bytes_of({0, 99})}) {
            const auto parsed = parse_reply(joined(bytes_of({5, code}), after));
            REQUIRE(parsed.done());
            CHECK(parsed.value().reply == static_cast<Reply>(code));
        }
}

TEST_CASE("every reply has words") {
    for (int code = 0; code < 256; ++code) CHECK(!text(static_cast<Reply>(code)).empty());
    CHECK(text(Reply::connection_refused) == "connection refused");
}

TEST_CASE("a destination is printable whatever the client sent") {
    CHECK(at("240.2.2.20", 80).text() == "240.2.2.20:80");
    CHECK(at("fd00::1", 80).text() == "[fd00::1]:80");
    CHECK(Destination{"web.b", 80}.text() == "web.b:80");
    CHECK(Destination{std::string("a\nb\x1b\0\xff c", 8), 80}.text() == "a?b????c:80");
}

TEST_CASE("secrets are compared whole") {
    CHECK(equal_in_constant_time("", ""));
    CHECK(equal_in_constant_time("secret", "secret"));
    CHECK(!equal_in_constant_time("secret", "secreT"));
    CHECK(!equal_in_constant_time("secret", "secre"));
    CHECK(!equal_in_constant_time("secret", "secret1"));
    CHECK(!equal_in_constant_time("", std::string(1, '\0')));
    CHECK(!equal_in_constant_time(std::string(255, 'a'), std::string(254, 'a') + 'b'));
    const UserPassword expected{"a", "b"};
    CHECK(matches(expected, {"a", "b"}));
    CHECK(!matches(expected, {"a", "c"}));
    CHECK(!matches(expected, {"c", "b"}));
    CHECK(!matches(expected, {"b", "a"}));
    CHECK(!matches(expected, {"", ""}));
}
