// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace natctl::echo {

// Pings of both families. They differ in type and checksum (RFC 7915, sections 4.2 and 5.2), the rest is the same.

using View = std::span<const std::uint8_t>;

/// What an echo request or its reply holds (RFC 792, RFC 4443 section 4). `data` is in the bytes that were parsed.
struct Message {
    std::uint16_t identifier = 0;
    std::uint16_t sequence = 0;
    View data;
};

/// Stands before the data.
using Header = std::array<std::uint8_t, 8>;

/// An ICMPv6 echo request as a raw socket shows it: without the IPv6 header, its checksum verified (RFC 3542, 3.1).
std::optional<Message> parse_request6(View message);
/// An ICMPv6 echo reply, shown in the same way.
std::optional<Message> parse_reply6(View message);
/// An ICMP echo reply as a raw socket shows it: a whole IPv4 packet, of which nobody has verified the ICMP checksum
/// (raw_local_deliver() in net/ipv4/raw.c).
std::optional<Message> parse_reply4(View packet);

Header request4(const Message& message);
// The checksum, which covers the addresses too, is left at 0: raw ICMPv6 sockets fill it in (RFC 3542, 3.1).
Header request6(const Message& message);
Header reply6(const Message& message);

} // namespace natctl::echo
