// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/router_addresses.h"

namespace natctl {

RouterAddresses::RouterAddresses(const Site& site, const MapParts& maps, const Facts& facts) {
    for (const auto& name : site.lan)
        if (const auto* interface = facts.find(name))
            for (const auto& assigned : interface->addresses)
                candidates_.push_back({assigned.address, maps.is_mapped(assigned.address)});
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
