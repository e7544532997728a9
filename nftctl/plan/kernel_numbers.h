// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace natctl {

// Numbers of the kernel's that rules compare with. The plan is made without the kernel's headers.

// linux/netfilter/nf_conntrack_common.h: enum ip_conntrack_info as bits, as `ct state` has them
inline constexpr std::uint32_t connection_established = 2;
inline constexpr std::uint32_t connection_new = 8;
/// IPS_SRC_NAT, IPS_DST_NAT: its source, its destination was translated.
inline constexpr std::uint32_t connection_snat = 0x10;
inline constexpr std::uint32_t connection_dnat = 0x20;
// enum ip_conntrack_dir
inline constexpr std::uint32_t direction_original = 0;
inline constexpr std::uint32_t direction_reply = 1;
// linux/rtnetlink.h: RTN_*
inline constexpr std::uint32_t type_unicast = 1;
inline constexpr std::uint32_t type_local = 2;
inline constexpr std::uint32_t type_broadcast = 3;
inline constexpr std::uint32_t type_multicast = 5;
/// Of "lo", in every network namespace.
inline constexpr std::uint32_t loopback_index = 1;
// linux/netfilter.h
inline constexpr std::uint32_t nfproto_ipv4 = 2;
inline constexpr std::uint32_t nfproto_ipv6 = 10;
// IANA's numbers
inline constexpr std::uint32_t protocol_icmp = 1;
inline constexpr std::uint32_t protocol_tcp = 6;
inline constexpr std::uint32_t protocol_udp = 17;
inline constexpr std::uint32_t protocol_icmpv6 = 58;

} // namespace natctl
