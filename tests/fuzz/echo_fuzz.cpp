// SPDX-License-Identifier: GPL-3.0-or-later
// What raw ICMP sockets show: an asker's ICMPv6, or whatever an IPv4 host sends that calls itself an echo reply.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "nftctl/base/checksum.h"
#include "nftctl/base/echo.h"

using namespace natctl;

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

bool same(const echo::Message& a, const echo::Message& b) {
    return a.identifier == b.identifier && a.sequence == b.sequence && std::ranges::equal(a.data, b.data);
}

std::vector<std::uint8_t> joined(const echo::Header& header, echo::View data) {
    std::vector<std::uint8_t> result(header.begin(), header.end());
    result.insert(result.end(), data.begin(), data.end());
    return result;
}

/// What the IPv4 host would answer is read as the same message.
void require_round_trip(const echo::Message& message) {
    auto request = joined(echo::request4(message), message.data);
    require(InternetChecksum().add(request).value() == 0);
    std::vector<std::uint8_t> packet(20);
    packet[0] = 0x45;
    packet[9] = 1;
    request[0] = 0;
    request[2] = request[3] = 0;
    const std::uint16_t sum = InternetChecksum().add(request).value();
    request[2] = static_cast<std::uint8_t>(sum >> 8);
    request[3] = static_cast<std::uint8_t>(sum & 0xff);
    packet.insert(packet.end(), request.begin(), request.end());
    const auto read = echo::parse_reply4(packet);
    require(read && same(*read, message));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const echo::View bytes(data, size);
    if (const auto request = echo::parse_request6(bytes)) {
        require(request->data.size() == size - 8);
        require_round_trip(*request);
    }
    if (const auto reply = echo::parse_reply4(bytes)) {
        require(reply->data.size() <= size - 28);
        require(reply->data.data() + reply->data.size() == data + size);
        const auto header = echo::reply6(*reply);
        require(header[0] == 129 && header[2] == 0 && header[3] == 0);
        require_round_trip(*reply);
    }
    return 0;
}
