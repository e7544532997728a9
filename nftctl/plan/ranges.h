// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "nftctl/base/ranges.h"

namespace natctl {

/// What is left of `range` without `cuts`, which must be merged().
std::vector<AddressRange> without(const AddressRange& range, const std::vector<AddressRange>& cuts);

/// Prefixes that together are exactly these ranges, in order. None is a /0, which ipsets of hash:net do not take.
std::vector<Prefix> prefixes_of(const std::vector<AddressRange>& ranges);

/// The range as one prefix, if it is one.
std::optional<Prefix> as_prefix(const AddressRange& range);

} // namespace natctl
