// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/address_set.h"

#include <algorithm>
#include <utility>

#include "nftctl/base/ranges.h"

namespace natctl {

AddressSet::AddressSet(const std::vector<Prefix>& prefixes) {
    std::vector<AddressRange> ranges;
    for (const Prefix& prefix : prefixes) ranges.push_back(prefix.range());
    ranges_ = merged(std::move(ranges));
}

bool AddressSet::contains(const Address& address) const {
    const auto after =
        std::ranges::upper_bound(ranges_, address, {}, [](const AddressRange& range) { return range.first; });
    return after != ranges_.begin() && std::prev(after)->contains(address);
}

} // namespace natctl
