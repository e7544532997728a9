// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/site/reader.h"

namespace natctl {

/// Of [[map]], whichever kind of map it is.
inline constexpr KnownKey map_keys[] = {
    {"virtual", "a prefix", R"(virtual = "240.1.1.0/24")"},
    {"real", "a prefix", R"(real = "192.168.1.0/24")"},
    {"name", "text", R"(name = "printer")"},
};

} // namespace natctl
