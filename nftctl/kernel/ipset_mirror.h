// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "nftctl/plan/facts.h"
#include "nftctl/plan/map_parts.h"
#include "nftctl/site/site.h"

namespace natctl {

// The white list as kernel ipsets, NAME for IPv4 and NAME6 for IPv6, for rules that others wrote. Those that were made
// here are remembered in STATE_DIR/ipsets, and they alone are ever removed.

/// Throws SystemError when the kernel has no ipsets, or the names are taken by sets of another type. Nothing is
/// changed. Does nothing for a site without a mirror.
void check_ipset_mirror(const Site& site);

/// Makes the sets hold the white list. Removes those of a former name.
void update_ipset_mirror(const Site& site, const MapParts& maps, const Facts& facts, const std::string& state_dir);

/// Removes the sets that were made here.
void remove_ipset_mirror(const std::string& state_dir);

} // namespace natctl
