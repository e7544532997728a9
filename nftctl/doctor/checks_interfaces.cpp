// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <set>

#include "nftctl/doctor/checks.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/router_addresses.h"
#include "nftctl/site/each_link.h"

namespace natctl::doctor {

namespace {

/// What is wrong with the interface itself; nullopt: it is there and up.
std::optional<Finding> fault_of(const Examination& seen, const std::string& name, const std::string& role, Grade grade,
                                const std::string& why) {
    const Device* const device = find_device(seen, name);
    if (device == nullptr)
        return Finding{.grade = grade,
                       .what = role + " " + name + " does not exist",
                       .why = why,
                       .advice = "create it, or mend its name in site.toml (ip -br link lists what there is)"};
    if (!device->switched_on)
        return Finding{.grade = grade,
                       .what = role + " " + name + " is down",
                       .why = why,
                       .command = "ip link set " + shell_word(name) + " up"};
    if (!device->running)
        return Finding{.grade = grade,
                       .what = role + " " + name + " has no carrier",
                       .why = why,
                       .advice = "look at the cable, or at the far end of the tunnel"};
    return std::nullopt;
}

std::string address_text(const InterfaceAddress& assigned) {
    return assigned.address.text() + "/" + std::to_string(assigned.length);
}

std::string delete_address(const InterfaceAddress& assigned, const Interface& interface) {
    return "ip address del " + address_text(assigned) + " dev " + shell_word(interface.name);
}

bool is_ours(const Site& site, const std::string& interface) {
    const auto links = link_interfaces(site);
    return interface == "lo" || std::ranges::find(site.lan, interface) != site.lan.end() ||
           std::ranges::find(links, interface) != links.end();
}

bool in_real(const Site& site, const Address& address) {
    return std::ranges::any_of(site.maps, [&](const Map& map) { return map.real_prefix.contains(address); });
}

} // namespace

Findings check_lan(const Site& site, const Examination& seen) {
    if (!seen.devices) return {unchecked(seen.devices.failure)};
    Findings findings;
    for (const auto& name : site.lan)
        if (auto fault = fault_of(seen, name, "LAN interface", Grade::error, "its hosts reach nobody"))
            findings.push_back(std::move(*fault));
    return findings;
}

Findings check_lan_address(const Site& site, const Examination& seen) {
    if (!seen.facts) return {unchecked(seen.facts.failure)};
    Findings findings;
    const RouterAddresses router(site, MapParts(site), *seen.facts);
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const bool mapped =
            std::ranges::any_of(site.maps, [&](const Map& map) { return map.virtual_prefix.family() == family; });
        if (!mapped || router.real(family)) continue;
        findings.push_back(
            {.grade = Grade::warning,
             .what = std::string("no LAN interface has an ") + text(family) + " address inside a real prefix of a map",
             .why = "this machine itself reaches no peer, and hosts without a virtual address have no name to go under",
             .advice = "give a LAN interface its address (ip address add ADDRESS/LENGTH dev " +
                       (site.lan.empty() ? "LAN" : site.lan.front()) + "), or mend the map in site.toml"});
    }
    return findings;
}

Findings check_links(const Site& site, const Examination& seen) {
    if (!seen.devices) return {unchecked(seen.devices.failure)};
    if (!seen.facts) return {unchecked(seen.facts.failure)};
    std::set<std::string> reported;
    Findings findings;
    for_each_link<DevLink>(site, [&](const Peer& peer, const DevLink& link) {
        if (!reported.insert(link.dev).second) return;
        const Link* const other = usable_link(peer, *seen.facts);
        auto fault = fault_of(seen, link.dev, "link interface", other != nullptr ? Grade::warning : Grade::error,
                              other != nullptr ? "peer " + peer.name + " is reached by another link meanwhile"
                                               : "peer " + peer.name + " cannot be reached");
        if (fault) findings.push_back(std::move(*fault));
    });
    return findings;
}

Findings check_gateways(const Site& site, const Examination& seen) {
    if (!seen.facts) return {unchecked(seen.facts.failure)};
    std::set<std::string> reported;
    Findings findings;
    for_each_link<DevLink>(site, [&](const Peer& peer, const DevLink& link) {
        const Interface* const interface = seen.facts->find(link.dev);
        // Of an interface that is not there another check speaks.
        if (interface == nullptr || !interface->up) return;
        for (const auto& via : {link.via4, link.via6}) {
            if (!via || !reported.insert(link.dev + " " + via->text()).second) continue;
            const bool own = std::ranges::any_of(seen.facts->interfaces, [&](const Interface& any) {
                return std::ranges::find(any.addresses, *via, &InterfaceAddress::address) != any.addresses.end();
            });
            if (own)
                findings.push_back({.grade = Grade::error,
                                    .what = "gateway " + via->text() + " of peer " + peer.name +
                                            " is an address of this machine itself",
                                    .why = "packets for the peer go nowhere",
                                    .advice = "write the other router's address as via in site.toml"});
            else if (!interface->has_neighbour(*via))
                findings.push_back(
                    {.grade = Grade::error,
                     .what = "gateway " + via->text() + " of peer " + peer.name + " is in no network of " + link.dev,
                     .why = "the other router is looked for there, and may not answer strangers",
                     .advice = "give " + link.dev + " an address of that network (ip address add " +
                               "ADDRESS/LENGTH dev " + link.dev + "), or mend via in site.toml"});
        }
    });
    return findings;
}

Findings check_peers(const Site& site, const Examination& seen) {
    if (!seen.facts) return {unchecked(seen.facts.failure)};
    Findings findings;
    for (const Peer& peer : site.peers)
        if (usable_link(peer, *seen.facts) == nullptr)
            findings.push_back({.grade = Grade::error,
                                .what = "peer " + peer.name + " has no link that can be used",
                                .why = "its hosts are refused at once",
                                .advice = "mend one of its links: see the findings about them"});
    return findings;
}

Findings check_outside_addresses(const Site& site, const Examination& seen) {
    if (!seen.facts) return {unchecked(seen.facts.failure)};
    Findings findings;
    for (const Interface& interface : seen.facts->interfaces) {
        if (is_ours(site, interface.name)) continue;
        for (const InterfaceAddress& assigned : interface.addresses)
            if (in_real(site, assigned.address))
                findings.push_back(
                    {.grade = Grade::warning,
                     .what = address_text(assigned) + " of " + interface.name +
                             ", which is no LAN of the site, lies in a real prefix",
                     .why = "two networks of this machine have the same addresses: which one is meant depends on the "
                            "order of their routes",
                     .advice = "give that network other addresses; until then see that the LAN's route comes first (ip "
                               "route get ADDRESS)"});
    }
    return findings;
}

Findings check_own_virtual(const Site& site, const Examination& seen) {
    if (!seen.facts) return {unchecked(seen.facts.failure)};
    Findings findings;
    for (const Interface& interface : seen.facts->interfaces)
        for (const InterfaceAddress& assigned : interface.addresses) {
            const Prefix network(assigned.address, assigned.length);
            const bool clash =
                std::ranges::any_of(site.maps, [&](const Map& map) { return map.virtual_prefix.overlaps(network); });
            if (clash)
                findings.push_back({.grade = Grade::error,
                                    .what = address_text(assigned) + " of " + interface.name +
                                            " is one of the site's own virtual addresses",
                                    .why = "virtual addresses exist by translation alone: on an interface they hide "
                                           "the host that they stand for",
                                    .command = delete_address(assigned, interface)});
        }
    return findings;
}

Findings check_duplicate_site(const Site& site, const Examination& seen) {
    if (!seen.facts) return {unchecked(seen.facts.failure)};
    Findings findings;
    for (const Peer& peer : site.peers)
        for (const Prefix& prefix : peer.virtual_prefixes)
            for (const Interface& interface : seen.facts->interfaces)
                for (const InterfaceAddress& assigned : interface.addresses)
                    if (prefix.overlaps(Prefix(assigned.address, assigned.length)))
                        findings.push_back(
                            {.grade = Grade::error,
                             .what = address_text(assigned) + " of " + interface.name + " lies in " + prefix.text() +
                                     ", which is peer " + peer.name + "'s",
                             .why = "what is sent to the peer stays here, or this machine is the peer itself with "
                                    "another site's site.toml",
                             .command = delete_address(assigned, interface),
                             .advice = "where that network is needed, the peer has to take another virtual prefix"});
    return findings;
}

Findings check_mtu(const Site& site, const Examination& seen) {
    if (!seen.devices) return {unchecked(seen.devices.failure)};
    // RFC 8200, section 5, and RFC 791, section 3.2.
    constexpr std::uint32_t least6 = 1280;
    constexpr std::uint32_t least4 = 576;
    std::uint32_t lan = 0;
    for (const auto& name : site.lan)
        if (const Device* const device = find_device(seen, name)) lan = std::max(lan, device->mtu);
    Findings findings;
    for (const auto& name : link_interfaces(site)) {
        const Device* const device = find_device(seen, name);
        if (device == nullptr) continue;
        const bool six = uses(site, Family::ipv6);
        const std::uint32_t least = six ? least6 : least4;
        const std::string what = "the MTU of " + name + " is " + std::to_string(device->mtu);
        if (device->mtu < least)
            findings.push_back(
                {.grade = six ? Grade::error : Grade::warning,
                 .what = what,
                 .why = six ? "below 1280 an interface carries no IPv6" : "below 576 many programs do not work",
                 .command = "ip link set " + shell_word(name) + " mtu " + std::to_string(least),
                 .advice = "the kernel removes IPv6 addresses at such an MTU: add them again"});
        else if (device->mtu < lan)
            findings.push_back({.grade = Grade::note,
                                .what = what + ", that of the LAN " + std::to_string(lan),
                                .why = "natctl lowers the MSS of TCP accordingly; larger datagrams are fragmented, or "
                                       "answered by 'too big'"});
    }
    return findings;
}

Findings check_windows(const Site& site, const Examination&) {
    const Prefix class_e = *Prefix::parse("240.0.0.0/4");
    const auto in_class_e = [&](const Prefix& prefix) { return class_e.contains(prefix); };
    const bool own = std::ranges::any_of(site.maps, in_class_e, &Map::virtual_prefix);
    const bool peers = std::ranges::any_of(
        site.peers, [&](const Peer& peer) { return std::ranges::any_of(peer.virtual_prefixes, in_class_e); });
    if (!own && !peers) return {};
    return {{.grade = Grade::note,
             .what = "virtual prefixes lie in 240.0.0.0/4",
             .why = "Windows hosts refuse to send there",
             .advice = "where there are any, choose prefixes of 198.18.0.0/15"}};
}

} // namespace natctl::doctor
