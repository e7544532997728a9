// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/ranges.h"

#include <array>

namespace natctl {

std::span<const ReservedRange> reserved_ranges() {
    static const std::array<ReservedRange, 10> ranges{{
        {*Prefix::parse("0.0.0.0/8"), "unspecified", false, false, true},
        {*Prefix::parse("127.0.0.0/8"), "loopback", true, false, true},
        {*Prefix::parse("169.254.0.0/16"), "link-local", true, true, true},
        {*Prefix::parse("224.0.0.0/4"), "multicast", false, false, false},
        {*Prefix::parse("255.255.255.255/32"), "broadcast", false, false, false},
        {*Prefix::parse("::/128"), "unspecified", false, false, true},
        {*Prefix::parse("::1/128"), "loopback", true, false, true},
        {*Prefix::parse("::ffff:0:0/96"), "IPv4-mapped", false, false, false},
        // Without an interface beside them they say nothing.
        {*Prefix::parse("fe80::/10"), "link-local", false, true, false},
        {*Prefix::parse("ff00::/8"), "multicast", false, false, false},
    }};
    return ranges;
}

std::span<const UnwiseRange> unwise_ranges() {
    static const std::array<UnwiseRange, 4> ranges{{
        {*Prefix::parse("240.0.0.0/4"), "Windows hosts refuse to send to 240.0.0.0/4",
         "where there are any, take prefixes of 198.18.0.0/15; 100.64.0.0/10 is used by carriers and Tailscale"},
        {*Prefix::parse("100.64.0.0/10"), "100.64.0.0/10 is used by carriers' NAT and by Tailscale",
         "where there is one of them, take prefixes of 198.18.0.0/15"},
        {*Prefix::parse("64:ff9b::/32"), "only 64:ff9b:1::/48 is set aside for local translation (RFC 8215)",
         "take prefixes of it, such as 64:ff9b:1:1::/96, or of a unique local prefix, such as fd00:1::/64"},
        {*Prefix::parse("64:ff9b:1::/48"), {}, {}},
    }};
    return ranges;
}

} // namespace natctl
