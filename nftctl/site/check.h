// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What each value of a Site allows but the whole does not, and what would bite later. Takes O(n log n) in the number
/// of prefixes. A Site that was made by a program may lack positions: they are 0 then.
void check_site(const Site& site, Diagnostics& diagnostics);

} // namespace natctl
