// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nftctl/base/checksum.h"
#include "nftctl/base/echo.h"

using namespace natctl;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes joined(echo::View first, echo::View second) {
    Bytes result(first.begin(), first.end());
    result.insert(result.end(), second.begin(), second.end());
    return result;
}

/// As a host makes it of a request: another type, and the checksum once more.
Bytes reply_to(Bytes message) {
    message[0] = 0;
    message[2] = message[3] = 0;
    const std::uint16_t sum = InternetChecksum().add(message).value();
    message[2] = static_cast<std::uint8_t>(sum >> 8);
    message[3] = static_cast<std::uint8_t>(sum & 0xff);
    return message;
}

/// With `options` bytes more in the header.
Bytes in_ipv4(const Bytes& message, std::size_t options = 0) {
    Bytes packet(20 + options);
    packet[0] = static_cast<std::uint8_t>(0x40 | packet.size() / 4);
    packet[9] = 1;
    return joined(packet, message);
}

const Bytes data{'h', 'e', 'l', 'l', 'o'};
const Bytes request{128, 0, 0xab, 0xcd, 0x12, 0x34, 0x00, 0x07, 'h', 'e', 'l', 'l', 'o'};

} // namespace

TEST_CASE("an ICMPv6 echo request is read") {
    const auto message = echo::parse_request6(request);
    REQUIRE(message);
    CHECK(message->identifier == 0x1234);
    CHECK(message->sequence == 7);
    CHECK(std::ranges::equal(message->data, data));
    CHECK(echo::parse_request6(echo::View(request).first(8))->data.empty());
}

TEST_CASE("nothing else is one") {
    CHECK(!echo::parse_request6({}));
    CHECK(!echo::parse_request6(echo::View(request).first(7)));
    for (const std::uint8_t type : Bytes{0, 1, 8, 127, 129, 135}) {
        Bytes other = request;
        other[0] = type;
        CHECK(!echo::parse_request6(other));
    }
    Bytes coded = request;
    coded[1] = 1;
    CHECK(!echo::parse_request6(coded));
}

TEST_CASE("an ICMP echo request has the bytes of RFC 792") {
    const auto header = echo::request4({0x1234, 7, data});
    // The sum of 0x0800, 0x1234, 0x0007, "he", "ll", "o\0" is 0x15e0c, which folds into 0x5e0d.
    CHECK(header == echo::Header{8, 0, 0xa1, 0xf2, 0x12, 0x34, 0x00, 0x07});
    CHECK(InternetChecksum().add(joined(header, data)).value() == 0);
}

TEST_CASE("its checksum holds for data of any length, and where words add up to all ones") {
    for (const std::size_t size : std::vector<std::size_t>{0, 1, 2, 55, 56, 1400, 65507}) {
        const Bytes filler(size, 0xff);
        for (const std::uint16_t sequence : std::vector<std::uint16_t>{0, 1, 0xf7ff, 0xffff})
            CHECK(InternetChecksum().add(joined(echo::request4({0, sequence, filler}), filler)).value() == 0);
    }
}

TEST_CASE("an ICMPv6 echo reply leaves its checksum to the kernel") {
    CHECK(echo::reply6({0xfffe, 0x0102, data}) == echo::Header{129, 0, 0, 0, 0xff, 0xfe, 0x01, 0x02});
}

TEST_CASE("an ICMP echo reply is read behind its IPv4 header, with options or without") {
    const Bytes reply = reply_to(joined(echo::request4({0x4321, 9, data}), data));
    for (const std::size_t options : std::vector<std::size_t>{0, 4, 40}) {
        const Bytes packet = in_ipv4(reply, options);
        const auto message = echo::parse_reply4(packet);
        REQUIRE(message);
        CHECK(message->identifier == 0x4321);
        CHECK(message->sequence == 9);
        CHECK(std::ranges::equal(message->data, data));
    }
}

TEST_CASE("a reply that was changed or cut on its way is none") {
    const Bytes packet = in_ipv4(reply_to(joined(echo::request4({0x4321, 9, data}), data)));
    for (std::size_t size = 0; size < packet.size(); ++size) CHECK(!echo::parse_reply4(echo::View(packet).first(size)));
    for (std::size_t at = 20; at < packet.size(); ++at) {
        Bytes changed = packet;
        changed[at] ^= 0x10;
        CHECK(!echo::parse_reply4(changed));
    }
}

TEST_CASE("other packets are no replies") {
    const Bytes message = joined(echo::request4({0x4321, 9, data}), data);
    CHECK(!echo::parse_reply4(in_ipv4(message)));
    const Bytes good = in_ipv4(reply_to(message));
    for (const std::uint8_t first : Bytes{0x44, 0x40, 0x4f, 0x65, 0x00}) {
        Bytes packet = good;
        packet[0] = first;
        CHECK(!echo::parse_reply4(packet));
    }
    Bytes udp = good;
    udp[9] = 17;
    CHECK(!echo::parse_reply4(udp));
}
