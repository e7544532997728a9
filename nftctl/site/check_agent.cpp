// SPDX-License-Identifier: GPL-3.0-or-later
#include <variant>

#include <fmt/format.h>

#include "nftctl/site/checks.h"
#include "nftctl/site/each_link.h"

namespace natctl {

namespace {

constexpr const char* remedy = "choose another port";

void check_endpoint(const Site& site, const Endpoint& listen, Position at, Diagnostics& diagnostics) {
    const auto text = listen.text();
    if (const char* key = own_port(listen, site))
        diagnostics.error(at, fmt::format("{} takes the port of the tunnel itself", text),
                          fmt::format("choose another port, or set [tunnel] {} to another one", key));
    for (const auto& listener : site.tunnel.listeners)
        if (clash(listen, listener.listen))
            diagnostics.error(
                at, fmt::format("{} is taken by a listener of the tunnel{}", text, on_line(listener.listen_at)),
                remedy);
    if (site.xray && clash(listen, site.xray->listen))
        diagnostics.error(at, fmt::format("{} is where Xray takes what peers send{}", text, on_line(site.xray->at)),
                          remedy);
    for_each_link<SocksLink>(site, [&](const Peer& peer, const SocksLink& link) {
        if (clash(listen, link.server))
            diagnostics.error(
                at, fmt::format("{} is where the link to peer {} expects a proxy{}", text, peer.name, on_line(link.at)),
                remedy);
    });
    if (site.intercept && clash(listen, site.intercept->proxy.server))
        diagnostics.error(
            at, fmt::format("{} is where [intercept] expects a proxy{}", text, on_line(site.intercept->proxy.at)),
            remedy);
}

} // namespace

void check_agent(const Site& site, Diagnostics& diagnostics) {
    const auto& http = site.agent.http;
    for (auto listener = http.begin(); listener != http.end(); ++listener) {
        for (auto other = http.begin(); other != listener; ++other)
            if (other->listen == listener->listen)
                diagnostics.error(listener->at, fmt::format("{} stands twice{}", listener->text(), on_line(other->at)),
                                  "leave one of them out");
        if (const auto* endpoint = std::get_if<Endpoint>(&listener->listen))
            check_endpoint(site, *endpoint, listener->at, diagnostics);
    }
}

} // namespace natctl
