// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/check.h"

#include <fmt/format.h>

namespace natctl {

void check_site(const Site& site, Diagnostics& diagnostics) {
    for (const auto& map : site.maps)
        if (map.virtual_prefix.length() != map.real_prefix.length())
            diagnostics.error(
                map.real_at,
                fmt::format("{} and {} differ in length", map.virtual_prefix.text(), map.real_prefix.text()),
                fmt::format("give both the same length: /{}", map.real_prefix.length()));
}

} // namespace natctl
