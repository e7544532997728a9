// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <string_view>
#include <unordered_map>

#include <fmt/format.h>

#include "nftctl/site/checks.h"
#include "nftctl/site/each_link.h"
#include "nftctl/site/quote.h"

namespace natctl {

namespace {

bool has_loopback_name(std::string_view interface) { return interface == "lo"; }

void check_dev_link(const Site& site, const Peer& peer, const DevLink& link, Diagnostics& diagnostics) {
    if (has_loopback_name(link.dev))
        diagnostics.error(link.at, "no peer is reached by lo", "name the interface that leads to the peer");
    const auto lan = std::ranges::find(site.lan, link.dev);
    if (lan != site.lan.end())
        diagnostics.error(
            link.at,
            fmt::format("{} leads to peer {} and is a LAN{}", link.dev, peer.name,
                        on_line(position_of(site.lan_at, static_cast<std::size_t>(lan - site.lan.begin())))),
            "take it out of lan, or name the interface that leads to the peer: what comes from a link is translated, "
            "what "
            "comes from a LAN is sent");
    if (!link.via4 && !link.via6) return;
    for (const auto& prefix : peer.virtual_prefixes) {
        const bool v4 = prefix.family() == Family::ipv4;
        if (v4 ? link.via4.has_value() : link.via6.has_value()) continue;
        diagnostics.error(link.at, fmt::format("no gateway on {} for {}", link.dev, prefix.text()),
                          fmt::format(R"(add the peer's {} address: via = ["{}", "{}"])", v4 ? "IPv4" : "IPv6",
                                      (v4 ? link.via6 : link.via4)->text(), v4 ? "198.51.100.2" : "2001:db8::2"));
        break;
    }
}

} // namespace

void check_names(const Site& site, Diagnostics& diagnostics) {
    std::unordered_map<std::string_view, Position> peers;
    for (const auto& peer : site.peers) {
        const auto [first, is_new] = peers.emplace(peer.name, peer.name_at);
        if (!is_new)
            diagnostics.error(peer.name_at, fmt::format("a second peer {}{}", peer.name, on_line(first->second)),
                              "give each peer one [[peer]], with all its prefixes and links, and a name of its own");
        if (peer.name == site.name)
            diagnostics.error(peer.name_at, fmt::format("peer {} has the name of this site", peer.name),
                              "name the other site; this one is no peer of itself");
    }
    std::unordered_map<std::string_view, Position> hosts;
    for (const auto& map : site.maps) {
        if (map.name.empty()) continue;
        const auto [first, is_new] = hosts.emplace(map.name, map.at);
        if (!is_new)
            diagnostics.error(map.at, fmt::format("a second host {}{}", quote(map.name), on_line(first->second)),
                              "give each host a name of its own");
    }
}

void check_names_of_files(const Site& site, std::span<Diagnostics> files) {
    std::unordered_map<std::string_view, const Map*> hosts;
    hosts.reserve(site.maps.size());
    for (const auto& map : site.maps) {
        if (map.name.empty()) continue;
        const auto [first, is_new] = hosts.emplace(map.name, &map);
        if (!is_new && map.file != 0)
            files[map.file].error(map.at,
                                  fmt::format("a second host {}{}", quote(map.name),
                                              on_line(site, first->second->at, first->second->file, map.file)),
                                  "give each host a name of its own");
    }
}

void check_interfaces(const Site& site, Diagnostics& diagnostics) {
    std::unordered_map<std::string_view, Position> seen;
    for (std::size_t i = 0; i < site.lan.size(); ++i) {
        const auto at = position_of(site.lan_at, i);
        if (has_loopback_name(site.lan[i]))
            diagnostics.error(at, "lo is no LAN",
                              "name the interfaces that the hosts are on; the router itself needs none");
        if (!seen.emplace(site.lan[i], at).second)
            diagnostics.error(at, fmt::format("LAN {} is named twice", site.lan[i]), "name it once");
    }
    for_each_link<DevLink>(
        site, [&](const Peer& peer, const DevLink& link) { check_dev_link(site, peer, link, diagnostics); });
}

} // namespace natctl
