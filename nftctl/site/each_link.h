// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <variant>

#include "nftctl/site/site.h"

namespace natctl {

/// visit(peer, link) for every link of one kind: peers as they stand in the file, their links in order of preference.
template <class Kind, class Visit>
void for_each_link(const Site& site, Visit visit) {
    for (const Peer& peer : site.peers)
        for (const Link& link : peer.links)
            if (const auto* found = std::get_if<Kind>(&link)) visit(peer, *found);
}

} // namespace natctl
