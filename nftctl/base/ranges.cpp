// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/ranges.h"

#include <algorithm>

namespace natctl {

std::vector<AddressRange> merged(std::vector<AddressRange> ranges) {
    // Most come joined already, or from tables that are sorted.
    if (!std::ranges::is_sorted(ranges)) std::ranges::sort(ranges);
    std::vector<AddressRange> result;
    for (const auto& range : ranges) {
        if (!result.empty() && result.back().first.family() == range.first.family()) {
            auto& last = result.back().last;
            const auto after = last.next();
            if (!after || range.first <= *after) {
                last = std::max(last, range.last);
                continue;
            }
        }
        result.push_back(range);
    }
    return result;
}

} // namespace natctl
