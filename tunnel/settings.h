// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/site/site.h"
#include "tunnel/access.h"
#include "tunnel/directory.h"
#include "tunnel/proxy_health.h"
#include "tunnel/socks5.h"

namespace natctl {

/// A SOCKS5 proxy and what it wants to hear.
struct Proxy {
    Endpoint server;
    std::optional<socks5::UserPassword> credentials;
    /// For messages: "peer b by socks5 127.0.0.1:1080".
    std::shared_ptr<const std::string> label;
    /// One for all peers that have this proxy.
    std::shared_ptr<ProxyHealth> health;

    /// The same way in, whatever it is called.
    bool operator==(const Proxy& other) const { return server == other.server && credentials == other.credentials; }
};

struct PeerProxies {
    /// "peer b", or "the Internet".
    std::string name;
    /// In order of preference; empty when the peer is reached by interfaces alone.
    std::vector<Proxy> proxies;
    bool operator==(const PeerProxies&) const = default;
};

/// Those that answer, then the others, each in order of preference.
std::vector<const Proxy*> in_order(const PeerProxies& peer);

struct Listener {
    Endpoint listen;
    Access access;
    std::optional<socks5::UserPassword> credentials;
    ProxyProtocol protocol = ProxyProtocol::socks5;
};

struct Timeouts {
    using Duration = std::chrono::steady_clock::duration;

    /// From accept to the end of a client's request; and the same as a client of a proxy, up to our request.
    Duration handshake = std::chrono::seconds(10);
    /// Connecting to a target.
    Duration connect = std::chrono::seconds(20);
    /// Connecting to a proxy: shorter while there is another one to try.
    Duration last_proxy = std::chrono::seconds(10);
    Duration proxy = std::chrono::seconds(4);
    /// From our request to the proxy's reply; it may well connect for as long as Linux does.
    Duration reply = std::chrono::seconds(60);
    /// A request on a connection that had waited may stay unacknowledged for so long: then the way there is no more.
    Duration silence = std::chrono::seconds(3);
    /// A proxy that has not answered a request sent ahead by then has lost it.
    Duration trial = std::chrono::seconds(3);
    /// A UDP association of a client of ours that moves nothing.
    Duration association = std::chrono::minutes(10);
    /// Between two looks at all of the above.
    Duration tick = std::chrono::seconds(1);
};

/// All that the flows of the tunnel go by. Never changed: a new configuration makes a new one, and flows that are being
/// opened keep theirs.
struct Settings {
    std::uint16_t transparent_port = 0;
    /// Of connections that come by REDIRECT; 0: none do.
    std::uint16_t redirect_port = 0;
    /// Of flows to own prefixes that carry IPv4 addresses; 0: there are none.
    std::uint16_t embedded_port = 0;
    /// TCP flows open at once; 0: as many as the limit of open files has room for. Looked at when the tunnel starts.
    std::size_t flows = 0;
    /// SO_MARK of sockets that leave; 0: none.
    std::uint32_t bypass_mark = 0;
    /// Of packets that the kernel hands over.
    Mark tunnel_mark;
    std::shared_ptr<const Directory> directory;
    /// By the index that Directory and Access give. Last, when there is [intercept], the way to the Internet.
    std::vector<PeerProxies> peers;
    /// All proxies, each once; their labels name no peer.
    std::vector<Proxy> proxies;
    std::vector<Listener> listeners;
    Timeouts timeouts;

    const Listener* listener_at(const Endpoint& endpoint) const;
};

/// Reads the password files; throws SystemError when one cannot be read. What is known of the health of proxies is
/// taken over from `former`.
std::shared_ptr<const Settings> make_settings(const Site& site, const Timeouts& timeouts = {},
                                              const Settings* former = nullptr);

} // namespace natctl
