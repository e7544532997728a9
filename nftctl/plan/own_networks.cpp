// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/own_networks.h"

#include <algorithm>

#include "nftctl/plan/ranges.h"

namespace natctl {

std::vector<OwnNetwork> own_networks(const std::vector<Map>& maps) {
    std::vector<const Map*> sorted;
    for (const auto& map : maps) sorted.push_back(&map);
    // A wider prefix comes before all that it covers.
    std::ranges::sort(sorted, {}, &Map::virtual_prefix);
    std::vector<OwnNetwork> networks;
    std::vector<AddressRange> hosts;
    const Prefix* wider = nullptr;
    for (const auto* map : sorted) {
        const Prefix& prefix = map->virtual_prefix;
        if (wider && wider->contains(prefix)) continue;
        if (map->is_host()) {
            hosts.push_back(prefix.range());
            continue;
        }
        wider = &prefix;
        networks.push_back({prefix, map->real_prefix});
    }
    for (const auto& prefix : prefixes_of(merged(std::move(hosts)))) networks.push_back({prefix, {}});
    return networks;
}

} // namespace natctl
