// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/http_body.h"

#include <initializer_list>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace natctl;
using http::BodyMeter;

namespace {

socks5::View view(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

/// How much of the text belongs to it, whatever the pieces.
std::size_t taken(BodyMeter meter, std::string_view text) {
    BodyMeter slow = meter;
    const std::size_t at_once = meter.take(view(text));
    std::size_t one_by_one = 0;
    while (one_by_one < text.size() && slow.take(view(text.substr(one_by_one, 1))) == 1) ++one_by_one;
    CHECK(at_once == one_by_one);
    CHECK(meter.is_over() == slow.is_over());
    // Once something did not belong, nothing does.
    if (at_once < text.size()) CHECK(meter.take(view("0\r\n\r\n")) == 0);
    return at_once;
}

} // namespace

TEST_CASE("content of a known length ends there") {
    CHECK(BodyMeter::of_length(0).is_over());
    CHECK(taken(BodyMeter::of_length(0), "G") == 0);
    CHECK(taken(BodyMeter::of_length(5), "hello") == 5);
    CHECK(taken(BodyMeter::of_length(5), "helloGET / HTTP/1.1") == 5);
    CHECK(taken(BodyMeter::of_length(~std::uint64_t{0}), "hello") == 5);
    CHECK(!BodyMeter::of_length(1).is_over());
}

TEST_CASE("chunked content ends after its trailers") {
    for (const std::string_view whole : {"0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n",
                                         "A;name=\"v\"\r\n0123456789\r\n1\r\n\n\r\n000\r\nT: v\r\nU: w\r\n\r\n",
                                         "a\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n"}) {
        CAPTURE(whole);
        CHECK(taken(BodyMeter::chunked(), whole) == whole.size());
        BodyMeter meter = BodyMeter::chunked();
        meter.take(view(whole));
        CHECK(meter.is_over());
        CHECK(taken(BodyMeter::chunked(), std::string(whole) + "GET / HTTP/1.1\r\n") == whole.size());
        for (std::size_t size = 0; size < whole.size(); ++size) {
            BodyMeter cut = BodyMeter::chunked();
            CHECK(cut.take(view(whole.substr(0, size))) == size);
            CHECK(!cut.is_over());
        }
    }
}

TEST_CASE("what is no chunk ends the content where it begins") {
    struct Case {
        std::string_view text;
        std::size_t good;
    };
    for (const Case& c : std::initializer_list<Case>{{"\r\n", 0},
                                                     {"x\r\n", 0},
                                                     {"-1\r\n", 0},
                                                     {" 5\r\nhello", 0},
                                                     {"5 \r\nhello", 1},
                                                     {"5\nhello", 1},
                                                     {"5\r5", 2},
                                                     {"0x5\r\n", 1},
                                                     {"5;a\nb\r\n", 3},
                                                     {"5\r\nhelloX", 8},
                                                     {"5\r\nhello\n", 8},
                                                     {"5\r\nhello\rX", 9},
                                                     {"0\r\nX\n\r\n", 4},
                                                     {"0\r\n\rX", 4},
                                                     {"0000000000000000\r\n\r\n", 15},
                                                     {"ffffffffffffffff\r\n", 15}}) {
        CAPTURE(c.text);
        CHECK(taken(BodyMeter::chunked(), c.text) == c.good);
    }
    CHECK(taken(BodyMeter::chunked(), "fffffffffffffff\r\nmore") == 21);
}
