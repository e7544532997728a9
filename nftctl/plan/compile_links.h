// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/plan/facts.h"
#include "nftctl/plan/table.h"
#include "nftctl/site/site.h"

namespace natctl {

// By which interfaces the packets of each peer may come and go. The maps `from4` and `from6` lead from the source of a
// packet, `to4` and `to6` from its destination, to a chain that knows the interfaces; peers with the same links share
// it. (A set of interfaces and ranges would say the same in one lookup, whose cost in the kernel grows with the number
// of peers: nft_set_pipapo.c.)
namespace links {

/// IPv4 and IPv6, as words::halves() has them.
inline constexpr std::size_t families = 2;
/// Those of the site's own names, joined: the set `own` of each family.
using OwnRanges = std::array<std::vector<AddressRange>, families>;

/// from4, to4; from6, to6.
std::vector<nft::Set> maps(const Site& site, const Facts& facts, const OwnRanges& own);

/// The chains that these lead to.
std::vector<nft::Chain> chains(const Site& site, const Facts& facts);

} // namespace links

} // namespace natctl
