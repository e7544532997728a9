// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "nftctl/base/address.h"
#include "nftctl/base/mark.h"

namespace natctl {

/// Our mark of ownership on policy rules and routes (FRA_PROTOCOL, rtm_protocol). What stands in our tables or at our
/// priorities without it is somebody else's. Not in use by any routing daemon of iproute2's rt_protos.
inline constexpr std::uint8_t route_protocol = 117;

/// A policy routing rule: `ip [-6] rule add pref PRIORITY [iif IIF] [fwmark MARK/MASK] lookup TABLE`.
struct PolicyRule {
    Family family;
    std::uint32_t priority;
    std::string iif = {};
    std::optional<Mark> fwmark = {};
    std::uint32_t table = 0;

    auto operator<=>(const PolicyRule&) const = default;
};

enum class RouteType : std::uint8_t { unicast, local, unreachable };

/// `ip [-6] route add [TYPE] DESTINATION [via VIA] dev DEV [src SOURCE] table TABLE`.
/// The kernel allows one per table and destination (with our metric), so a change replaces it.
struct Route {
    std::uint32_t table;
    Prefix destination;
    RouteType type = RouteType::unicast;
    /// Empty for unreachable routes.
    std::string dev = {};
    std::optional<Address> via = {};
    std::optional<Address> source = {};

    auto operator<=>(const Route&) const = default;
};

/// Our four routing tables, and the priorities of the rules that lead to them, in order.
namespace routing {
/// Peers by interface link.
inline constexpr std::uint32_t link_table = 7000;
/// Placeholders that let connect() of this machine succeed and give the source.
inline constexpr std::uint32_t placeholder_table = 7001;
/// To our transparent sockets.
inline constexpr std::uint32_t tunnel_table = 7002;
/// Never further: unreachable.
inline constexpr std::uint32_t last_table = 7003;

inline constexpr std::uint32_t first_priority = 6000;
inline constexpr std::uint32_t tunnel_priority = 6000;
inline constexpr std::uint32_t local_tunnel_priority = 6001;
inline constexpr std::uint32_t link_answer_priority = 6002;
inline constexpr std::uint32_t link_priority = 6003;
inline constexpr std::uint32_t placeholder_priority = 6004;
inline constexpr std::uint32_t last_priority = 6005;
} // namespace routing

} // namespace natctl
