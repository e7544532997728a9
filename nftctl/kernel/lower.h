// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/kernel/expression.h"

namespace natctl::nft {

// The kernel tests nothing on its own: a field of the IPv4 header may be loaded from an IPv6 packet. Like nft, lower()
// puts the test that a field implies (`meta nfproto` for addresses, `meta l4proto tcp` for TCP flags) before the first
// use of it in a rule, unless the rule tested it already; raise() takes it away again.
//
// One form per meaning, so that what is read equals what was written: a rule must not test nfproto or l4proto
// explicitly right before a field that implies just this, and a reject of one family or of TCP must stand after a test
// for it.

/// The expressions of a rule. No statement may be Unknown.
std::vector<Expression> lower(const Rule& rule);

/// The rule of these expressions; exact, in that lower() of the result gives the same. What cannot be expressed so
/// becomes Unknown.
Rule raise(const std::vector<Expression>& expressions);

} // namespace natctl::nft
