// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/ranges.h"

#include <algorithm>

namespace natctl {

std::vector<AddressRange> without(const AddressRange& range, const std::vector<AddressRange>& cuts) {
    std::vector<AddressRange> result;
    auto cut = std::ranges::lower_bound(cuts, range.first, {}, &AddressRange::last);
    Address first = range.first;
    for (; cut != cuts.end() && cut->overlaps(range); ++cut) {
        if (first < cut->first) result.push_back({first, *cut->first.previous()});
        if (cut->last >= range.last) return result;
        first = *cut->last.next();
    }
    result.push_back({first, range.last});
    return result;
}

std::optional<Prefix> as_prefix(const AddressRange& range) {
    unsigned length = 0;
    while (length < range.first.bits() && range.first.bit(length) == range.last.bit(length)) ++length;
    const Prefix prefix(range.first, length);
    if (prefix.range() != range) return std::nullopt;
    return prefix;
}

std::vector<Prefix> prefixes_of(const std::vector<AddressRange>& ranges) {
    std::vector<Prefix> prefixes;
    for (const auto& range : ranges) {
        std::optional<Address> first = range.first;
        while (first && *first <= range.last) {
            // The largest prefix that begins here and ends within the range.
            unsigned length = first->bits();
            while (length > 1) {
                const Prefix wider(*first, length - 1);
                if (wider.first() != *first || wider.last() > range.last) break;
                --length;
            }
            const Prefix prefix(*first, length);
            prefixes.push_back(prefix);
            first = prefix.last().next();
        }
    }
    return prefixes;
}

} // namespace natctl
