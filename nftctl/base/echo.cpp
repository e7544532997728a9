// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/echo.h"

#include "nftctl/base/checksum.h"

namespace natctl::echo {

namespace {

// RFC 792; RFC 4443, section 4.
constexpr std::uint8_t reply4_type = 0;
constexpr std::uint8_t request4_type = 8;
constexpr std::uint8_t request6_type = 128;
constexpr std::uint8_t reply6_type = 129;

constexpr std::uint8_t icmp_protocol = 1;
constexpr std::size_t shortest_ipv4_header = 20;
constexpr std::size_t protocol_at = 9;

std::uint16_t word(View bytes, std::size_t at) { return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]); }

void set_word(Header& header, std::size_t at, std::uint16_t value) {
    header[at] = static_cast<std::uint8_t>(value >> 8);
    header[at + 1] = static_cast<std::uint8_t>(value & 0xff);
}

std::optional<Message> parse(View bytes, std::uint8_t type) {
    constexpr std::uint8_t code = 0;
    if (bytes.size() < Header().size() || bytes[0] != type || bytes[1] != code) return std::nullopt;
    return Message{word(bytes, 4), word(bytes, 6), bytes.subspan(Header().size())};
}

Header header_of(std::uint8_t type, const Message& message) {
    Header header{};
    header[0] = type;
    set_word(header, 4, message.identifier);
    set_word(header, 6, message.sequence);
    return header;
}

} // namespace

std::optional<Message> parse_request6(View message) { return parse(message, request6_type); }

std::optional<Message> parse_reply6(View message) { return parse(message, reply6_type); }

std::optional<Message> parse_reply4(View packet) {
    if (packet.size() < shortest_ipv4_header || packet[0] >> 4 != 4 || packet[protocol_at] != icmp_protocol)
        return std::nullopt;
    const std::size_t header = (packet[0] & 0xfu) * std::size_t{4};
    if (header < shortest_ipv4_header || header > packet.size()) return std::nullopt;
    const View bytes = packet.subspan(header);
    if (InternetChecksum().add(bytes).value() != 0) return std::nullopt;
    return parse(bytes, reply4_type);
}

Header request4(const Message& message) {
    Header header = header_of(request4_type, message);
    set_word(header, 2, InternetChecksum().add(header).add(message.data).value());
    return header;
}

Header request6(const Message& message) { return header_of(request6_type, message); }

Header reply6(const Message& message) { return header_of(reply6_type, message); }

} // namespace natctl::echo
