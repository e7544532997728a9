// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace_words.h"

#include <algorithm>

#include <fmt/format.h>

#include "nftctl/plan/compile.h"
#include "nftctl/plan/trace_ways.h"
#include "nftctl/plan/whose.h"

namespace natctl {

const char* name_of(Protocol protocol) {
    switch (protocol) {
    case Protocol::icmp: return "ICMP";
    case Protocol::tcp: return "TCP";
    case Protocol::udp: return "UDP";
    }
    return "?";
}

const char* name_of(Fate fate) {
    switch (fate) {
    case Fate::forwarded: return "forwarded";
    case Fate::delivered: return "delivered";
    case Fate::tunnel: return "tunnel";
    case Fate::refused: return "refused";
    case Fate::dropped: return "dropped";
    }
    return "?";
}

namespace nft {

namespace {

std::string with_family(const char* name, Family family) {
    return name + std::string(family == Family::ipv4 ? "4" : "6");
}

/// Whether the rule looks `field` up in the set, of whichever family.
bool looks_up(const Rule& rule, const std::string& set, const std::vector<Field>& fields) {
    return std::ranges::any_of(rule.statements, [&](const Statement& statement) {
        const auto* lookup = std::get_if<Lookup>(&statement);
        return lookup && (lookup->set == set || lookup->set == set + "4" || lookup->set == set + "6") &&
               std::ranges::find(fields, lookup->key.back()) != fields.end();
    });
}

bool is_in(const Plan& plan, const char* set, const std::vector<FieldValue>& key, Family family) {
    const auto* found = plan.table ? plan.table->find_set(with_family(set, family)) : nullptr;
    return found && find_element(*found, key);
}

std::string why_no_link(const Plan& plan, const Surroundings& surroundings, const Packet& packet,
                        const std::optional<Endpoint>& deaf) {
    const auto peer = called(surroundings, packet.destination);
    if (deaf) return no_tunnel_listens(*deaf);
    const Family family = packet.family();
    if (is_in(plan, "tun", {packet.destination}, family))
        return fmt::format("{} is reached by a proxy, and that does not carry {}", peer, name_of(packet.protocol));
    if (const auto interface = plan.table ? way_to(*plan.table, packet.destination) : std::nullopt)
        return fmt::format("the route to {} by {} is missing; put it back: natctl apply", peer, *interface);
    return fmt::format("{} has no link that is up", peer);
}

} // namespace

std::string called(const Surroundings& surroundings, const Address& address) {
    const auto* peer = surroundings.site ? peer_of(*surroundings.site, address) : nullptr;
    return peer ? "peer " + peer->name : address.text();
}

const Peer* peer_of(const Site& site, const Address& address) {
    const auto found = std::ranges::find_if(site.peers, [&](const Peer& peer) {
        return std::ranges::any_of(peer.virtual_prefixes, [&](const Prefix& p) { return p.contains(address); });
    });
    return found == site.peers.end() ? nullptr : &*found;
}

std::string why_unreachable(const Plan& plan, const Surroundings& surroundings, const Packet& packet) {
    const auto to = packet.destination.text();
    if (is_in(plan, "own", {packet.destination}, packet.family())) return fmt::format("no map gives {} to a host", to);
    if (is_in(plan, "peer", {packet.destination}, packet.family()))
        return why_no_link(plan, surroundings, packet, std::nullopt);
    return to + " leads nowhere: an unreachable route";
}

const char* sender_sees(RejectKind kind) {
    switch (kind) {
    case RejectKind::tcp_reset: return "TCP reset";
    case RejectKind::icmpx_no_route: return "ICMP no route";
    case RejectKind::icmp_host_unreachable: return "ICMP host unreachable";
    case RejectKind::icmpv6_addr_unreachable: return "ICMPv6 address unreachable";
    }
    return "a refusal";
}

std::string no_tunnel_listens(const Endpoint& listener) {
    return fmt::format("no tunnel listens at {}; start it: systemctl start natctl-tunnel", listener.text());
}

std::string after_the_tunnel(const Surroundings& surroundings, const Address& destination, Protocol protocol) {
    if (!surroundings.site) return {};
    const auto& site = *surroundings.site;
    const auto found = whose(site, destination);
    if (found.peer) {
        const auto* link = usable_link(*found.peer, surroundings.facts);
        const auto* proxy = link ? std::get_if<SocksLink>(link) : nullptr;
        if (!proxy) return {};
        return fmt::format("it connects through the proxy {} of peer {}, which sees its own router as the sender",
                           proxy->server.text(), found.peer->name);
    }
    if (found.kind == Whose::Kind::own_virtual && protocol == Protocol::icmp)
        return found.real ? fmt::format("it pings {} and passes the reply back", found.real->text())
                          : "it stays silent: the map does not list the embedded address";
    if (found.kind == Whose::Kind::own_virtual)
        return found.real ? fmt::format("it connects to {}", found.real->text())
                          : "it refuses: the map does not list the embedded address";
    if (found.kind == Whose::Kind::nobodys && site.intercept)
        return fmt::format("it connects through the proxy {} of [intercept]", site.intercept->proxy.server.text());
    return {};
}

std::string described(const Packet& packet) {
    auto text = fmt::format("{} to {}, {}", packet.source.text(), packet.destination.text(), name_of(packet.protocol));
    if (packet.port != 0 && packet.protocol != Protocol::icmp) text += fmt::format(" port {}", packet.port);
    return text;
}

std::string why(const Plan& plan, const Surroundings& surroundings, const Packet& packet, const std::string& chain,
                const Rule& rule, const std::optional<Endpoint>& deaf) {
    const std::vector<Field> source{Field::ip_saddr, Field::ip6_saddr};
    const std::vector<Field> destination{Field::ip_daddr, Field::ip6_daddr};
    const auto from = packet.source.text();
    const auto to = packet.destination.text();
    if (chain == "no_link") return why_no_link(plan, surroundings, packet, deaf);
    if (chain == "forged") {
        if (is_in(plan, "peer", {packet.source}, packet.family()))
            return fmt::format("{} belongs to {}, whose packets do not come by {}: forged", from,
                               called(surroundings, packet.source), packet.in);
        return fmt::format("{} is a virtual address of this site, whose own hosts send from real ones: forged", from);
    }
    if (chain == "antispoof")
        return fmt::format("{} is neither a LAN nor a link, and virtual addresses are for those alone", packet.in);
    if (chain == "pre" && looks_up(rule, "own", destination) && looks_up(rule, "peer", source))
        return fmt::format("by a link only virtual addresses of peers may begin a flow, and {} is none", from);
    if (chain == "through" && looks_up(rule, "link_if", {Field::iifname}) && looks_up(rule, "lan_if", {Field::oifname}))
        return fmt::format("{} is a real address, which is not to be had from a link", to);
    if (chain.starts_with("guard")) return fmt::format("{} to {} must not leave by {}", from, to, packet.out);
    if (chain.starts_with("unmapped") || looks_up(rule, "own", destination))
        return fmt::format("no map gives {} to a host", to);
    if (chain.starts_with("out/") || chain.starts_with("away/") || looks_up(rule, "peer", destination))
        return fmt::format("the link to {} is away, and a flow that lives on it waits",
                           called(surroundings, packet.destination));
    return fmt::format("a rule of chain {} ends it", chain);
}

} // namespace nft

} // namespace natctl
