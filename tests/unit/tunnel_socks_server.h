// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "tunnel/socks5.h"
#include "tunnel_worker.h"

namespace natctl::test {

inline std::string string_of(socks5::View bytes) { return {bytes.begin(), bytes.end()}; }

/// A worker with one SOCKS5 listener on loopback; nothing is allowed to its clients at first.
struct SocksServer {
    Endpoint listen{fresh_address(), 1080};
    ProxyListener listener;
    Site site;
    WorkerLimits limits;
    Timeouts timeouts = short_ticks();
    std::optional<RunningWorker> worker;

    SocksServer() {
        site.name = "b";
        listener.listen = listen;
    }

    /// A destination that its clients may go to.
    void allow(const Prefix& prefix) { listener.to.push_back(prefix); }
    void allow(const Address& address) { allow(host_prefix(address)); }

    /// `prefix` is that of a peer behind the proxy.
    void add_peer(const Endpoint& proxy, const Prefix& prefix) {
        Peer peer;
        peer.name = "c";
        peer.virtual_prefixes = {prefix};
        peer.links = {SocksLink{proxy, std::nullopt}};
        site.peers.push_back(peer);
    }

    void start() {
        site.tunnel.listeners = {listener};
        worker.emplace(unmarked(site, timeouts), one(listen_on(ListenerKind::proxy, listen)), limits);
    }

    Connection client() const { return Connection::to(listen); }
};

} // namespace natctl::test
