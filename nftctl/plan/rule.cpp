// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/rule.h"

namespace natctl::nft {

std::optional<Family> implied_family(Field field) {
    switch (field) {
    case Field::ip_saddr:
    case Field::ip_daddr: return Family::ipv4;
    case Field::ip6_saddr:
    case Field::ip6_daddr: return Family::ipv6;
    default: return std::nullopt;
    }
}

std::optional<std::uint8_t> implied_protocol(Field field) {
    switch (field) {
    case Field::tcp_flags: return 6;
    case Field::icmpv6_type: return 58;
    default: return std::nullopt;
    }
}

} // namespace natctl::nft
