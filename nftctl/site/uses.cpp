// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/uses.h"

#include <algorithm>
#include <variant>

namespace natctl {

bool redirects(const Site& site) { return site.intercept && site.intercept->by == InterceptBy::redirect; }

bool uses_tunnel(const Site& site) {
    return site.intercept || !site.embedding_maps.empty() || !site.tunnel.listeners.empty() ||
           std::ranges::any_of(site.peers, [](const Peer& peer) {
               return std::ranges::any_of(peer.links,
                                          [](const Link& link) { return std::holds_alternative<SocksLink>(link); });
           });
}

} // namespace natctl
