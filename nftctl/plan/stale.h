// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <vector>

#include "nftctl/plan/connection.h"
#include "nftctl/plan/plan.h"
#include "nftctl/plan/transaction.h"
#include "nftctl/plan/translator.h"

namespace natctl {

/// Finds the connections that a change of plan made wrong. NAT is decided at a flow's first packet and then kept, so
/// after a change the kernel would go on translating open flows as before. Wrong are, of whatever protocol and whoever
/// began them:
/// - flows to one of our names that do not reach the host to which it leads now;
/// - flows of our hosts under a name that leads elsewhere now (one that still leads to the host, or is the router's, is
///   as good as the name that new flows get);
/// - flows of a peer, or of an own name, that is gone, by link or tunnel;
/// - flows to our or a peer's names that began untranslated before the prefix was ours: in conntrack's eyes a repeated
///   SYN, ping or datagram is the same flow, which would stay untranslated for ever.
/// When `after` is empty (natctl was taken down) that means everything our maps made: such a flow would go on being
/// translated with no rule left that keeps it off the WAN.
///
/// Everything else goes on. In particular flows that stay pinned to a link or the tunnel by their mark while the peer
/// has moved, and what is plain traffic to us, intercepted or not.
class StaleFlows {
public:
    /// Both plans must outlive it. `change` is diff(before, after).
    StaleFlows(const Plan& before, const Plan& after, const Transaction& change);

    /// Where to look for them: what the change made wrong is in at least one of these. Empty when it can have made
    /// nothing wrong. Its cost follows the size of the change, unless the table is made anew.
    std::vector<ConnectionFilter> filters() const;

    bool is_stale(const Connection& connection) const;

private:
    struct Change;
    struct Half {
        Translator before;
        Translator after;
    };

    Change compare(Family family) const;
    const Half& half(Family family) const { return halves_[family == Family::ipv4 ? 0 : 1]; }

    const Plan& before_;
    const Plan& after_;
    const Transaction& transaction_;
    std::array<Half, 2> halves_;
};

} // namespace natctl
