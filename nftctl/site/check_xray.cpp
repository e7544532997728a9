// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <ranges>
#include <variant>

#include <fmt/format.h>

#include "nftctl/site/checks.h"
#include "nftctl/site/xray.h"

namespace natctl {

namespace {

void check_listener(const Site& site, const XrayListener& xray, Diagnostics& diagnostics) {
    const auto clashes = [&](const Endpoint& other) { return clash(xray.listen, other); };
    const auto text = xray.listen.text();
    for (const auto& listener : site.tunnel.listeners)
        if (clashes(listener.listen))
            diagnostics.error(
                xray.at, fmt::format("{} is taken by a listener of the tunnel{}", text, on_line(listener.listen_at)),
                "give Xray and the tunnel ports of their own");
    for (const char* loopback : {"127.0.0.1", "::1"})
        if (clashes({*Address::parse(loopback), site.tunnel.port}))
            diagnostics.error(xray.at, fmt::format("{} takes the port of the tunnel itself", text),
                              "choose another port, or set [tunnel] port to another one");
    for (const auto& peer : site.peers)
        if (const auto* link = xray_link(peer); link != nullptr && clashes(link->server)) {
            diagnostics.error(xray.at,
                              fmt::format("{} is where the link to peer {} expects Xray's SOCKS inbound{}", text,
                                          peer.name, on_line(link->at)),
                              "give the two inbounds ports of their own");
            break;
        }
}

void check_server(const Site& site, const Peer& peer, const XrayServer& xray, Diagnostics& diagnostics) {
    const auto address = Address::parse(xray.host);
    if (!address) return;
    for (const auto& other : site.peers)
        for (const auto& prefix : other.virtual_prefixes)
            if (prefix.contains(*address))
                diagnostics.error(xray.at,
                                  fmt::format("the server of peer {} is in {} of peer {}: a loop", peer.name,
                                              prefix.text(), other.name),
                                  "write the address that it has on the network between the sites");
    if (site.xray && site.xray->listen == Endpoint{*address, xray.port})
        diagnostics.error(xray.at, fmt::format("the server of peer {} is our own{}", peer.name, on_line(site.xray->at)),
                          "write the address and port under [xray] of that site");
}

void check_peer(const Site& site, const Peer& peer, Diagnostics& diagnostics) {
    check_server(site, peer, *peer.xray, diagnostics);
    const auto* link = xray_link(peer);
    if (link == nullptr) {
        diagnostics.error(peer.xray->at,
                          fmt::format("peer {} has xray, but no link to a proxy of this machine: nothing would be "
                                      "handed to Xray",
                                      peer.name),
                          R"(add link = { socks5 = "127.0.0.1:1080" }, where Xray is to listen)");
        return;
    }
    if (std::ranges::find(xray_tags, peer.name) != std::end(xray_tags))
        diagnostics.error(peer.name_at, fmt::format("\"{}\" is the name of an outbound of its own for Xray", peer.name),
                          "give the peer another name");
    if (site.intercept && site.intercept->proxy.server == link->server)
        diagnostics.warning(site.intercept->proxy.at,
                            fmt::format("the proxy {} is also the link to peer {}{}, where `natctl xray` lets Xray "
                                        "lead to peers alone: what is intercepted would be refused",
                                        link->server.text(), peer.name, on_line(link->at)),
                            "give the Xray that leads to the Internet a port of its own");
}

} // namespace

const SocksLink* xray_link(const Peer& peer) {
    if (!peer.xray) return nullptr;
    for (const auto& link : peer.links)
        if (const auto* socks = std::get_if<SocksLink>(&link); socks != nullptr && socks->server.address.is_loopback())
            return socks;
    return nullptr;
}

void check_xray(const Site& site, Diagnostics& diagnostics) {
    if (site.xray) check_listener(site, *site.xray, diagnostics);
    for (const auto& peer : site.peers)
        if (peer.xray) check_peer(site, peer, diagnostics);
}

} // namespace natctl
