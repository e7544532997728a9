// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/router_addresses.h"

#include <algorithm>

namespace natctl {

RouterAddresses::RouterAddresses(const Site& site, const Facts& facts) {
    const auto is_mapped = [&](const Address& address) {
        return std::ranges::any_of(site.maps, [&](const Map& map) { return map.real_prefix.contains(address); });
    };
    for (const auto& name : site.lan)
        if (const auto* interface = facts.find(name))
            for (const auto& assigned : interface->addresses)
                candidates_.push_back({assigned.address, is_mapped(assigned.address)});
}

std::optional<Address> RouterAddresses::real(Family family, const std::optional<Prefix>& preferred) const {
    std::optional<Address> first;
    for (const auto& [address, mapped] : candidates_) {
        if (address.family() != family) continue;
        if (preferred && preferred->contains(address)) return address;
        if (!first && mapped) first = address;
    }
    return first;
}

} // namespace natctl
