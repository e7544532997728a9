// SPDX-License-Identifier: GPL-3.0-or-later
#include <map>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "nftctl/site/checks.h"
#include "nftctl/site/each_link.h"
#include "nftctl/site/uses.h"

namespace natctl {

namespace {

constexpr const char* access_remedy =
    R"(add allow = ["PEER'S ADDRESS"], or user and password_file, or listen on 127.0.0.1)";

/// Prefixes so short that they hold a good part of the Internet: shorter than 10.0.0.0/8 and fc00::/7.
bool is_everybody(const Prefix& prefix) { return prefix.length() < (prefix.family() == Family::ipv4 ? 8u : 7u); }

void check_access(const ProxyListener& listener, Diagnostics& diagnostics) {
    if (listener.credentials || listener.listen.address.is_loopback()) return;
    if (listener.allow.empty())
        diagnostics.error(listener.listen_at, fmt::format("anybody could use the proxy on {}", listener.listen.text()),
                          access_remedy);
    for (std::size_t i = 0; i < listener.allow.size(); ++i)
        if (is_everybody(listener.allow[i]))
            diagnostics.error(position_of(listener.allow_at, i),
                              fmt::format("{} without a password is an open proxy", listener.allow[i].text()),
                              "allow the addresses of the peers alone, or add user and password_file");
}

/// True when a connection to `server` on this machine would reach whoever listens on `listen`.
bool reaches(const Endpoint& server, const Endpoint& listen) {
    if (server.port != listen.port) return false;
    return server.address == listen.address || (listen.address.is_unspecified() && server.address.is_loopback() &&
                                                server.address.family() == listen.address.family());
}

/// The transparent listener has the port on 127.0.0.1 and on ::1.
bool takes_port_of_tunnel(const Endpoint& listen, const Tunnel& tunnel) {
    static const Address loopback4 = *Address::parse("127.0.0.1");
    static const Address loopback6 = *Address::parse("::1");
    const auto& address = listen.address;
    return listen.port == tunnel.port && (address == loopback4 || address == loopback6 || address.is_unspecified());
}

/// One endpoint, or one address and all addresses with one port.
class Endpoints {
public:
    /// The position of a listener that has the endpoint already.
    std::optional<Position> insert(const Endpoint& endpoint, Position at) {
        auto& taken = ports_[{endpoint.address.family(), endpoint.port}];
        std::optional<Position> clash;
        if (endpoint.address.is_unspecified() && !taken.empty()) clash = taken.begin()->second;
        for (const auto& address : {endpoint.address, unspecified(endpoint.address.family())})
            if (const auto found = taken.find(address); found != taken.end()) clash = found->second;
        taken.emplace(endpoint.address, at);
        return clash;
    }

private:
    static Address unspecified(Family family) { return *Address::parse(family == Family::ipv4 ? "0.0.0.0" : "::"); }

    std::map<std::pair<Family, std::uint16_t>, std::map<Address, Position>> ports_;
};

void check_endpoints(const Site& site, Diagnostics& diagnostics) {
    Endpoints endpoints;
    for (const auto& listener : site.tunnel.listeners) {
        if (const char* key = own_port(listener.listen, site))
            diagnostics.error(listener.listen_at,
                              fmt::format("{} takes the port of the tunnel itself", listener.listen.text()),
                              fmt::format("choose another port, or set [tunnel] {} to another one", key));
        if (const auto other = endpoints.insert(listener.listen, listener.listen_at))
            diagnostics.error(listener.listen_at,
                              fmt::format("a second listener on {}{}", listener.listen.text(), on_line(*other)),
                              "give each listener a port or an address of its own");
    }
}

void check_link(const SocksLink& link, const Peer& peer, const Tunnel& tunnel, Diagnostics& diagnostics) {
    for (const auto& listener : tunnel.listeners)
        if (reaches(link.server, listener.listen))
            diagnostics.error(
                link.at,
                fmt::format("the link to peer {} leads to our own listener{}: a loop", peer.name,
                            on_line(listener.listen_at)),
                "name the proxy that leads to the peer: Xray on this machine, or the peer's own listener");
    if (link.server.address.is_loopback() && takes_port_of_tunnel(link.server, tunnel))
        diagnostics.error(link.at, fmt::format("the link to peer {} leads to the tunnel itself: a loop", peer.name),
                          "name the proxy that leads to the peer, or set [tunnel] port to another one");
}

} // namespace

bool clash(const Endpoint& a, const Endpoint& b) {
    if (a.port != b.port || a.address.family() != b.address.family()) return false;
    return a.address == b.address || a.address.is_unspecified() || b.address.is_unspecified();
}

const char* own_port(const Endpoint& listen, const Site& site) {
    static const Address loopback6 = *Address::parse("::1");
    if (takes_port_of_tunnel(listen, site.tunnel)) return "port";
    if (redirects(site) && listen.port == site.tunnel.redirect_port) return "redirect_port";
    const bool may_be_loopback6 = listen.address == loopback6 || listen.address == Address::parse("::");
    if (!site.embedding_maps.empty() && listen.port == site.tunnel.embedded_port && may_be_loopback6)
        return "embedded_port";
    return nullptr;
}

void check_listeners(const Site& site, Diagnostics& diagnostics) {
    for (const auto& listener : site.tunnel.listeners) check_access(listener, diagnostics);
    check_endpoints(site, diagnostics);
    for_each_link<SocksLink>(
        site, [&](const Peer& peer, const SocksLink& link) { check_link(link, peer, site.tunnel, diagnostics); });
}

} // namespace natctl
