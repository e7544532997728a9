// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/settings.h"

#include <algorithm>
#include <variant>

#include "nftctl/site/secret.h"

namespace natctl {

namespace {

std::optional<socks5::UserPassword> read(const std::optional<Credentials>& credentials) {
    if (!credentials) return std::nullopt;
    return socks5::UserPassword{credentials->user, read_secret(credentials->password_file)};
}

void add(PeerProxies& proxies, const SocksLink& link) {
    proxies.proxies.push_back({link.server, read(link.credentials),
                               std::make_shared<const std::string>(proxies.name + " by socks5 " + link.server.text())});
}

PeerProxies proxies_of(const Peer& peer) {
    PeerProxies result{"peer " + peer.name, {}};
    for (const Link& link : peer.links)
        if (const auto* socks = std::get_if<SocksLink>(&link)) add(result, *socks);
    return result;
}

} // namespace

const Listener* Settings::listener_at(const Endpoint& endpoint) const {
    const auto found = std::ranges::find(listeners, endpoint, &Listener::listen);
    return found == listeners.end() ? nullptr : &*found;
}

std::shared_ptr<const Settings> make_settings(const Site& site, const Timeouts& timeouts) {
    auto settings = std::make_shared<Settings>();
    settings->transparent_port = site.tunnel.port;
    if (!site.embedding_maps.empty()) settings->embedded_port = site.tunnel.embedded_port;
    settings->bypass_mark = site.marks.bypass().value;
    settings->tunnel_mark = site.marks.tunnel();
    settings->directory = std::make_shared<const Directory>(site);
    for (const Peer& peer : site.peers) settings->peers.push_back(proxies_of(peer));
    if (site.intercept) {
        add(settings->peers.emplace_back(PeerProxies{"the Internet", {}}), site.intercept->proxy);
        if (site.intercept->by == InterceptBy::redirect) settings->redirect_port = site.tunnel.redirect_port;
    }
    for (const SocksListener& listener : site.tunnel.socks5)
        settings->listeners.push_back(
            {listener.listen, Access(settings->directory, listener), read(listener.credentials)});
    settings->timeouts = timeouts;
    return settings;
}

} // namespace natctl
