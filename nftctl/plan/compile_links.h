// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/plan/map_parts.h"
#include "nftctl/plan/table.h"
#include "nftctl/site/site.h"

namespace natctl {

// By which interfaces the packets of each peer may come and go. The maps `from4` and `from6` lead from the source of a
// packet, `to4` and `to6` from its destination, to a chain that knows the interfaces; peers with the same links share
// it. (A set of interfaces and ranges would say the same in one lookup, whose cost in the kernel grows with the number
// of peers: nft_set_pipapo.c.)
namespace links {

/// from4, to4; from6, to6.
std::vector<nft::Set> maps(const Site& site, const MapParts& parts, const Facts& facts);

/// The chains that these lead to.
std::vector<nft::Chain> chains(const Site& site, const Facts& facts);

} // namespace links

} // namespace natctl
