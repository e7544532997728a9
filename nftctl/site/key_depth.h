// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>

#include "nftctl/site/site.h"

namespace natctl {

inline constexpr unsigned max_key_parts = 16;

/// Where a dotted key (a.b.c) gets more than max_key_parts parts. toml++ 3.3 makes a nested table for each part
/// without any bound, and the destructor of a million nested tables overflows the stack.
std::optional<Position> find_deep_key(std::string_view toml);

} // namespace natctl
