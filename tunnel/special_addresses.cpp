// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/special_addresses.h"

#include <algorithm>
#include <vector>

#include "tunnel/address_set.h"

namespace natctl {

namespace {

// Beside what site.toml may name neither as virtual nor as real (reserved_ranges() in nftctl/site): all of ::/96, as
// "::192.168.1.20" (RFC 4291, 2.5.5.1) is another way to write an IPv4 address, and would pass by the rules for that.
const std::vector<Prefix>& special_prefixes() {
    static const auto prefixes = [] {
        std::vector<Prefix> result;
        for (const char* text : {"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32",
                                 "::/96", "::ffff:0.0.0.0/96", "fe80::/10", "ff00::/8"})
            result.push_back(*Prefix::parse(text));
        return result;
    }();
    return prefixes;
}

} // namespace

bool is_special(const Address& address) {
    static const AddressSet set(special_prefixes());
    return set.contains(address);
}

bool is_special(const Prefix& prefix) {
    return std::ranges::any_of(special_prefixes(), [&](const Prefix& special) { return special.contains(prefix); });
}

} // namespace natctl
