// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/plan/map_parts.h"
#include "nftctl/plan/rule_words.h"
#include "nftctl/site/site.h"

namespace natctl {

// Traffic to the Internet that the tunnel gets instead. Only new flows are taken: those that were open before
// [intercept] was switched on go on as they are.

/// By TPROXY.
bool intercepts(const Site& site);

std::vector<nft::Set> intercept_sets(const Site& site, const MapParts& maps, const Facts& facts);
std::vector<nft::Chain> intercept_chains(const Site& site);

/// REDIRECT, for the NAT chain at this hook (prerouting or output).
void redirect_to_tunnel(nft::words::ChainWriter& chain, nft::HookPoint hook, const Site& site, const Facts& facts);

/// Programs of this machine that are never intercepted leave the chain here.
void spare_programs(nft::words::ChainWriter& chain, const Site& site, const Facts& facts);

} // namespace natctl
