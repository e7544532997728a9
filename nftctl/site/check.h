// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What each value of a Site allows but the whole does not, and what would bite later. Takes O(n log n) in the number
/// of prefixes. A Site that was made by a program may lack positions: they are 0 then.
void check_site(const Site& site, Diagnostics& diagnostics);

/// What maps files add to that, once they are read. `files` are the findings in site.toml and in each maps file.
void check_maps_files(const Site& site, std::span<Diagnostics> files);

} // namespace natctl
