// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/settings.h"

#include <algorithm>
#include <variant>

#include "nftctl/site/secret.h"
#include "nftctl/site/uses.h"

namespace natctl {

namespace {

std::optional<socks5::UserPassword> read(const std::optional<Credentials>& credentials) {
    if (!credentials) return std::nullopt;
    return socks5::UserPassword{credentials->user, read_secret(credentials->password_file)};
}

/// Collects the proxies of a site.
class Proxies {
public:
    Proxies(Settings& settings, const Settings* former) : settings_(settings), former_(former) {}

    void add(PeerProxies& peer, const SocksLink& link) {
        Proxy proxy{link.server, read(link.credentials),
                    std::make_shared<const std::string>(peer.name + " by socks5 " + link.server.text()), nullptr};
        proxy.health = health_of(proxy);
        peer.proxies.push_back(std::move(proxy));
    }

private:
    std::shared_ptr<ProxyHealth> health_of(const Proxy& proxy) {
        auto& all = settings_.proxies;
        if (const auto known = std::ranges::find(all, proxy); known != all.end()) return known->health;
        all.push_back(proxy);
        all.back().label = std::make_shared<const std::string>("socks5 " + proxy.server.text());
        if (former_) {
            const auto known = std::ranges::find(former_->proxies, proxy);
            if (known != former_->proxies.end()) return all.back().health = known->health;
        }
        return all.back().health = std::make_shared<ProxyHealth>(ProxyHealth::Clock::now());
    }

    Settings& settings_;
    const Settings* former_;
};

PeerProxies proxies_of(const Peer& peer, Proxies& proxies) {
    PeerProxies result{"peer " + peer.name, {}};
    for (const Link& link : peer.links)
        if (const auto* socks = std::get_if<SocksLink>(&link)) proxies.add(result, *socks);
    return result;
}

} // namespace

const Listener* Settings::listener_at(const Endpoint& endpoint) const {
    const auto found = std::ranges::find(listeners, endpoint, &Listener::listen);
    return found == listeners.end() ? nullptr : &*found;
}

std::vector<const Proxy*> in_order(const PeerProxies& peer) {
    std::vector<const Proxy*> order;
    for (const Proxy& proxy : peer.proxies) order.push_back(&proxy);
    std::stable_partition(order.begin(), order.end(), [](const Proxy* proxy) { return proxy->health->is_up(); });
    return order;
}

std::shared_ptr<const Settings> make_settings(const Site& site, const Timeouts& timeouts, const Settings* former) {
    auto settings = std::make_shared<Settings>();
    Proxies proxies(*settings, former);
    settings->transparent_port = site.tunnel.port;
    if (!site.embedding_maps.empty()) settings->embedded_port = site.tunnel.embedded_port;
    settings->flows = site.tunnel.flows;
    settings->bypass_mark = site.marks.bypass().value;
    settings->tunnel_mark = site.marks.tunnel();
    settings->directory = std::make_shared<const Directory>(site);
    for (const Peer& peer : site.peers) settings->peers.push_back(proxies_of(peer, proxies));
    if (site.intercept) {
        proxies.add(settings->peers.emplace_back(PeerProxies{"the Internet", {}}), site.intercept->proxy);
        if (redirects(site)) settings->redirect_port = site.tunnel.redirect_port;
    }
    for (const ProxyListener& listener : site.tunnel.listeners)
        settings->listeners.push_back(
            {listener.listen, Access(settings->directory, listener), read(listener.credentials), listener.protocol});
    settings->timeouts = timeouts;
    return settings;
}

} // namespace natctl
