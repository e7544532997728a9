// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "nftctl/base/address.h"

namespace natctl {

/// Addresses, and how long they stay where they are.
struct TimedRange {
    AddressRange range;
    /// Absent: for ever.
    std::optional<std::chrono::milliseconds> lifetime = {};
    bool operator==(const TimedRange&) const = default;
};

/// The same addresses, each once and for the longest of its lifetimes: sorted, not overlapping, neighbours of one
/// lifetime joined. When a lifetime is over, what is left is what this would give without it. Of one family.
std::vector<TimedRange> longest_lived(const std::vector<TimedRange>& ranges);

} // namespace natctl
