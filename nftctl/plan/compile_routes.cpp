// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstddef>

#include "nftctl/plan/compile.h"
#include "nftctl/plan/router_addresses.h"
#include "nftctl/plan/set_words.h"

namespace natctl {

namespace {

constexpr const char* loopback = "lo";

bool uses(const Site& site, const MapParts& maps, Family family) {
    return !maps.own(family).empty() ||
           std::ranges::any_of(site.peers,
                               [&](const Peer& peer) {
                                   return std::ranges::any_of(peer.virtual_prefixes,
                                                              [&](const Prefix& p) { return p.family() == family; });
                               }) ||
           site.intercept.has_value() || (family == Family::ipv6 && !site.embedding_maps.empty());
}

/// Where open flows go: the link of new ones, and while a proxy is preferred or no link works, an interface that is up.
const DevLink* routed_link(const Peer& peer, Family family, const Facts& facts) {
    const DevLink* up = nullptr;
    const DevLink* works = nullptr;
    for (std::size_t place = 0; place < peer.links.size(); ++place) {
        const auto* dev = std::get_if<DevLink>(&peer.links[place]);
        const auto* interface = dev ? facts.find(dev->dev) : nullptr;
        if (!interface || !interface->up || facts.unroutable.contains({{peer.name, place}, family})) continue;
        if (!up) up = dev;
        if (!works && is_usable(peer, place, facts)) works = dev;
    }
    return works ? works : up;
}

void add_last_resort(std::vector<Route>& routes, const Prefix& prefix, const std::optional<Address>& source) {
    routes.push_back({.table = routing::placeholder_table, .destination = prefix, .dev = loopback, .source = source});
    routes.push_back({.table = routing::last_table, .destination = prefix, .type = RouteType::unreachable});
}

} // namespace

std::vector<PolicyRule> compile_rules(const Site& site, const MapParts& maps) {
    const Marks marks = site.marks;
    std::vector<PolicyRule> rules;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        if (!uses(site, maps, family)) continue;
        auto interfaces = link_interfaces(site);
        interfaces.insert(interfaces.end(), site.lan.begin(), site.lan.end());
        // Bound to interfaces: a plain fwmark rule makes the sources martian under src_valid_mark=1, which wg-quick
        // sets.
        for (const auto& interface : interfaces)
            rules.push_back({family, routing::tunnel_priority, interface, marks.tunnel(), routing::tunnel_table});
        rules.push_back({family, routing::local_tunnel_priority, {}, marks.local_tunnel(), routing::tunnel_table});
        rules.push_back({family, routing::link_answer_priority, {}, marks.link(), routing::link_table});
        rules.push_back({family, routing::link_priority, {}, {}, routing::link_table});
        rules.push_back({family, routing::placeholder_priority, loopback, {}, routing::placeholder_table});
        rules.push_back({family, routing::last_priority, {}, {}, routing::last_table});
    }
    std::ranges::sort(rules);
    rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
    return rules;
}

std::vector<Route> compile_routes(const Site& site, const MapParts& maps, const Facts& facts) {
    std::vector<Route> routes;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        if (!uses(site, maps, family)) continue;
        routes.push_back({.table = routing::tunnel_table,
                          .destination = nft::words::all_addresses(family),
                          .type = RouteType::local,
                          .dev = loopback});
    }
    const RouterAddresses router(site, maps, facts);
    for (const auto& own : maps.networks())
        add_last_resort(routes, own.virtual_prefix, router.real(own.virtual_prefix.family(), own.real_prefix));
    for (const auto& map : site.embedding_maps) {
        // AnyIP, for what this machine itself opens. Never for packets that come in: they would bypass the tunnel.
        routes.push_back({.table = routing::placeholder_table,
                          .destination = map.virtual_prefix,
                          .type = RouteType::local,
                          .dev = loopback,
                          .source = router.real(Family::ipv6)});
        routes.push_back(
            {.table = routing::last_table, .destination = map.virtual_prefix, .type = RouteType::unreachable});
    }
    for (const auto& peer : site.peers)
        for (const auto& prefix : peer.virtual_prefixes) {
            const auto source = router.real(prefix.family());
            add_last_resort(routes, prefix, source);
            const auto* link = routed_link(peer, prefix.family(), facts);
            if (!link) continue;
            const auto& via = prefix.family() == Family::ipv4 ? link->via4 : link->via6;
            routes.push_back(
                {.table = routing::link_table, .destination = prefix, .dev = link->dev, .via = via, .source = source});
        }
    std::ranges::sort(routes);
    return routes;
}

} // namespace natctl
