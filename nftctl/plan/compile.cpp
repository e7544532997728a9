// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/compile.h"

#include <algorithm>
#include <utility>

#include "nftctl/plan/addressing.h"
#include "nftctl/plan/compile_helpers.h"
#include "nftctl/plan/identity.h"
#include "nftctl/plan/router_addresses.h"
#include "nftctl/site/each_link.h"

namespace natctl {

namespace {

bool is_up(const Facts& facts, const std::string& name) {
    const auto* interface = facts.find(name);
    return interface && interface->up;
}

/// The router's IPv4 address in an own /96: what the IPv6 of a site without a map for it is known as.
std::optional<Address> router_embedded(const Site& site, const Facts& facts) {
    for (const auto& map : site.embedding_maps)
        for (const auto& name : site.lan) {
            const auto* interface = facts.find(name);
            if (!interface) continue;
            for (const auto& assigned : interface->addresses)
                if (std::ranges::any_of(map.real_prefixes,
                                        [&](const Prefix& real) { return real.contains(assigned.address); }))
                    return embed(map.virtual_prefix, assigned.address);
        }
    return std::nullopt;
}

/// Without what decides over elements of sets, and over nothing else.
Facts without_sets_alone(const Site& site, Facts facts) {
    facts.white_now.clear();
    facts.endpoints.clear();
    for (auto& interface : facts.interfaces)
        if (std::ranges::find(site.lan, interface.name) == site.lan.end()) interface.addresses.clear();
    return facts;
}

} // namespace

Plan compile(const Site& site, const Facts& facts) { return Compiler(site).compile(facts); }

const nft::SharedList<nft::Chain>& Compiler::chains(const Facts& facts) const {
    auto deciding = without_sets_alone(site_, facts);
    if (deciding != facts_of_chains_) {
        chains_ = compile_chains(site_, maps_, deciding);
        facts_of_chains_ = std::move(deciding);
    }
    return chains_;
}

Plan Compiler::compile(const Facts& facts) const {
    Plan plan;
    plan.table = nft::Table{compile_sets(site_, maps_, facts), chains(facts), helper_objects(site_)};
    plan.table->ownable = site_.agent.own_table;
    plan.table->sets.push_back(identity_.make(*plan.table));
    plan.rules = compile_rules(site_, maps_);
    plan.routes = compile_routes(site_, maps_, facts);
    return plan;
}

bool is_usable(const Peer& peer, std::size_t place, const Facts& facts) {
    const auto* dev = std::get_if<DevLink>(&peer.links[place]);
    return (!dev || is_up(facts, dev->dev)) && !facts.out_of_use.contains({peer.name, place});
}

const Link* usable_link(const Peer& peer, const Facts& facts) {
    for (std::size_t place = 0; place < peer.links.size(); ++place)
        if (is_usable(peer, place, facts)) return &peer.links[place];
    return nullptr;
}

std::optional<Address> router_virtual(const Site& site, const MapParts& maps, const Facts& facts, Family family) {
    if (const auto real = RouterAddresses(site, maps, facts).real(family)) return maps.name_of(*real);
    return family == Family::ipv6 ? router_embedded(site, facts) : std::nullopt;
}

std::vector<std::string> link_interfaces(const Site& site) {
    std::vector<std::string> names;
    for_each_link<DevLink>(site, [&](const Peer&, const DevLink& link) {
        if (std::ranges::find(names, link.dev) == names.end()) names.push_back(link.dev);
    });
    std::ranges::sort(names);
    return names;
}

std::vector<std::string> advice(const Site& site, const Facts& facts) {
    std::vector<std::string> result;
    const auto say_interface = [&](const std::string& name, const std::string& role) {
        const auto* interface = facts.find(name);
        if (!interface)
            result.push_back(role + " " + name + " does not exist; create it or mend its name in site.toml");
        else if (!interface->up)
            result.push_back(role + " " + name + " is down; bring it up with: ip link set " + name + " up");
    };
    for (const auto& name : site.lan) say_interface(name, "LAN interface");
    for (const auto& name : link_interfaces(site)) say_interface(name, "link interface");
    for_each_link<DevLink>(site, [&](const Peer& peer, const DevLink& link) {
        const auto* interface = facts.find(link.dev);
        for (const auto& via : {link.via4, link.via6})
            if (interface && interface->up && via && !interface->has_neighbour(*via))
                result.push_back("gateway " + via->text() + " of peer " + peer.name + " is in no network of " +
                                 link.dev + "; give " + link.dev + " an address there, or mend via in site.toml");
    });
    for (const auto& peer : site.peers)
        if (!usable_link(peer, facts)) result.push_back("peer " + peer.name + " has no usable link and is refused");
    const auto uses = [&](Family family) {
        return std::ranges::any_of(site.maps, [&](const Map& map) { return map.virtual_prefix.family() == family; });
    };
    if (uses(Family::ipv4) && !facts.forwarding4)
        result.push_back("this machine does not forward IPv4; switch it on with: sysctl -w net.ipv4.ip_forward=1");
    if (uses(Family::ipv6) && !facts.forwarding6)
        result.push_back(
            "this machine does not forward IPv6; switch it on with: sysctl -w net.ipv6.conf.all.forwarding=1");
    const RouterAddresses router(site, MapParts(site), facts);
    for (const auto family : {Family::ipv4, Family::ipv6})
        if (uses(family) && !router.real(family))
            result.push_back(std::string("no LAN interface has an ") + (family == Family::ipv4 ? "IPv4" : "IPv6") +
                             " address inside a real prefix; this machine itself cannot reach the peers");
    return result;
}

} // namespace natctl
