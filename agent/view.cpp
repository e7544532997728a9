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
void judge_by_tunnel(LinkView& shown, const SocksLink& link, const std::optional<TunnelReport>& tunnel) {
    const auto* proxy = tunnel ? tunnel->find_proxy(link.server.text()) : nullptr;
    if (tunnel && (proxy == nullptr || proxy->up)) return;
    shown.usable = false;
    shown.cause = tunnel ? proxy->cause : "natctl-tunnel does not run";
}

/// What the agent knows of the link beside that it can be used or not.
void explain(LinkView& shown, const PeerLink& link, const std::vector<LinkHealth::State>& states) {
    const auto found = std::ranges::lower_bound(states, link, {}, &LinkHealth::State::link);
    if (found == states.end() || found->link != link) return;
    shown.held = found->standing == LinkHealth::Standing::held;
    shown.since = found->since;
    if (!found->cause.empty()) shown.cause = found->cause;
}

} // namespace

std::vector<LinkView> links_of(const Peer& peer, const View& view) {
    const auto* chosen = usable_link(peer, view.facts);
    const bool by_tunnel = chosen != nullptr && std::holds_alternative<SocksLink>(*chosen);
    std::vector<LinkView> links;
    for (std::size_t place = 0; place < peer.links.size(); ++place) {
        const auto& link = peer.links[place];
        LinkView shown{.text = link_text(link)};
        shown.usable = is_usable(peer, place, view.facts);
        if (const auto* socks = std::get_if<SocksLink>(&link)) {
            shown.kind = "socks5";
            judge_by_tunnel(shown, *socks, view.tunnel);
            const bool first = std::ranges::none_of(links, &LinkView::used);
            shown.used = by_tunnel && shown.usable && first;
        } else {
            shown.interface = std::get<DevLink>(link).dev;
            shown.used = &link == chosen;
        }
        explain(shown, {peer.name, place}, view.state.links);
        links.push_back(std::move(shown));
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
