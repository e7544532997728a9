// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/view.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "nftctl/plan/compile.h"
#include "nftctl/site/link_text.h"

namespace natctl {

namespace {

/// A proxy is down when the tunnel says so, and all of them are without a tunnel.
bool answers(const SocksLink& link, const std::optional<TunnelReport>& tunnel) {
    if (!tunnel) return false;
    const auto* proxy = tunnel->find_proxy(link.server.text());
    return proxy == nullptr || proxy->up;
}

} // namespace

std::vector<LinkView> links_of(const Peer& peer, const Facts& facts, const std::optional<TunnelReport>& tunnel) {
    const auto* chosen = usable_link(peer, facts);
    const bool by_tunnel = chosen != nullptr && std::holds_alternative<SocksLink>(*chosen);
    std::vector<LinkView> links;
    for (std::size_t place = 0; place < peer.links.size(); ++place) {
        const auto& link = peer.links[place];
        LinkView view{.text = link_text(link)};
        view.usable = is_usable(peer, place, facts);
        if (const auto* socks = std::get_if<SocksLink>(&link)) {
            view.kind = "socks5";
            view.usable = view.usable && answers(*socks, tunnel);
            const bool first = std::ranges::none_of(links, &LinkView::used);
            view.used = by_tunnel && view.usable && first;
        } else {
            view.interface = std::get<DevLink>(link).dev;
            view.used = &link == chosen;
        }
        links.push_back(std::move(view));
    }
    return links;
}

std::vector<std::string> interfaces_of(const Site& site) {
    auto names = site.lan;
    for (const auto& name : link_interfaces(site))
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    return names;
}

} // namespace natctl
