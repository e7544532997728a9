// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/kernel/nftnl_ptr.h"
#include "nftctl/plan/table.h"

namespace natctl::nft {

// Chains and rules of `inet natctl` in the kernel.

/// A conntrack helper for both families.
NftnlObjPtr to_nftnl(const HelperObject& helper);
/// nullopt: an object of another type, or one for one family only.
std::optional<HelperObject> from_nftnl(const nftnl_obj& object);

NftnlChainPtr to_nftnl(const std::string& name, const std::optional<Hook>& hook);

/// Without rules. A base chain that none of ours can be (policy drop) has no hook here and starts with an Unknown.
Chain from_nftnl(const nftnl_chain& chain);

/// A message that adds the rule at the end of its chain, or removes all rules of a chain when `rule` is null.
NftnlRulePtr to_nftnl(const std::string& chain, const Rule* rule);

Rule from_nftnl(const nftnl_rule& rule);

} // namespace natctl::nft
