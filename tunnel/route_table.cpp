// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/route_table.h"

#include <algorithm>

namespace natctl {

RouteTable::RouteTable(const std::vector<Peer>& peers) {
    for (std::size_t index = 0; index < peers.size(); ++index)
        for (const Prefix& prefix : peers[index].virtual_prefixes) {
            peers_.emplace(prefix, index);
            const std::pair length(prefix.family(), prefix.length());
            if (std::ranges::find(lengths_, length) == lengths_.end()) lengths_.push_back(length);
        }
    std::ranges::sort(lengths_, std::greater{}, [](const auto& length) { return length.second; });
}

std::optional<std::size_t> RouteTable::find(const Address& address) const {
    for (const auto& [family, length] : lengths_) {
        if (family != address.family()) continue;
        const auto found = peers_.find(Prefix(address, length));
        if (found != peers_.end()) return found->second;
    }
    return std::nullopt;
}

} // namespace natctl
