// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/plan/rule_words.h"
#include "nftctl/site/site.h"

namespace natctl {

// Conntrack helpers (FTP, SIP) for flows between own and peers' virtual addresses. Both sites of a flow need them: each
// translates the addresses in the payload that its own NAT changes.

std::vector<nft::HelperObject> helper_objects(const Site& site);
std::vector<nft::Chain> helper_chains(const Site& site);

} // namespace natctl
