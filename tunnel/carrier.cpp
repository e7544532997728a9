// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/carrier.h"

#include <algorithm>
#include <array>

#include "tunnel/special_addresses.h"

namespace natctl {

bool Carrier::has(const Address& real) const {
    return real.family() == Family::ipv4 && reals_.contains(real) && !is_special(real);
}

std::optional<Address> Carrier::real_of(const Address& address) const {
    if (!contains(address)) return std::nullopt;
    const Address real = Address::from_bytes(Family::ipv4, address.bytes().last(4));
    return has(real) ? std::optional(real) : std::nullopt;
}

std::optional<Address> Carrier::name_of(const Address& real) const {
    if (!has(real)) return std::nullopt;
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(prefix_.network().bytes(), bytes.begin());
    std::ranges::copy(real.bytes(), bytes.begin() + 12);
    return Address::from_bytes(Family::ipv6, bytes);
}

} // namespace natctl
