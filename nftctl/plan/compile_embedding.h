// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/plan/rule_words.h"
#include "nftctl/site/site.h"

namespace natctl::embedding {

// Own /96 prefixes: the kernel cannot translate IPv6 to IPv4, so the tunnel gets what is sent to them, by TPROXY, and
// dials the embedded address. Nothing of this is in the plan of a site without such a map.

nft::Set own_set(const Site& site);
std::vector<nft::Chain> chains(const Site& site);

/// Hands flows to the tunnel; from a link only a peer may begin one.
void take_in(nft::words::ChainWriter& chain, const Site& site);
/// The prefix is local (AnyIP), so the kernel would answer every ping to it: only the tunnel may.
void silence_kernel(nft::words::ChainWriter& chain, const Site& site);
void let_out(nft::words::ChainWriter& chain, const Site& site);
void refuse_as_source(nft::words::ChainWriter& chain, const Site& site);
void refuse_as_destination(nft::words::ChainWriter& chain, const Site& site);

} // namespace natctl::embedding
