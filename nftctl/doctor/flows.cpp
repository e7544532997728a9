// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/doctor/flows.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "nftctl/doctor/checks.h"
#include "nftctl/plan/compile.h"
#include "nftctl/site/each_link.h"

namespace natctl::doctor {

namespace {

using nft::HookPoint;

/// A host of the prefix: not its first address, which may be the network's or the router's.
Address sample(const Prefix& prefix) {
    Address address = prefix.first();
    for (int i = 0; i < 9; ++i)
        if (const auto next = address.next(); next && prefix.contains(*next)) address = *next;
    return address;
}

std::optional<std::uint32_t> index_of(const Facts& facts, const std::string& name) {
    const auto* interface = facts.find(name);
    return interface != nullptr ? std::optional(interface->index) : std::nullopt;
}

/// The map whose real prefix holds an address of the LAN's interface.
const Map* map_of_lan(const Site& site, const Facts& facts, const std::string& lan, Family family) {
    const auto* interface = facts.find(lan);
    if (interface == nullptr) return nullptr;
    for (const Map& map : site.maps)
        for (const auto& assigned : interface->addresses)
            if (!map.is_host() && assigned.address.family() == family && map.real_prefix.contains(assigned.address))
                return &map;
    return nullptr;
}

class Builder {
public:
    Builder(const Site& site, const Facts& facts) : site_(site), facts_(facts) {}

    /// Between a LAN and the peers by their interface links.
    template <class Each>
    void each_pair(Each&& each) const {
        for (const auto& lan : site_.lan)
            for (const Family family : {Family::ipv4, Family::ipv6}) {
                const Map* const map = map_of_lan(site_, facts_, lan, family);
                if (map == nullptr) continue;
                for (const Peer& peer : site_.peers) {
                    const auto prefix = std::ranges::find(peer.virtual_prefixes, family, &Prefix::family);
                    if (prefix != peer.virtual_prefixes.end()) each(lan, *map, peer, *prefix);
                }
            }
    }

    firewall::Packet packet(Family family, const std::string& iif, const std::string& oif) const {
        firewall::Packet packet{.family = family};
        if (!iif.empty()) {
            packet.iif = iif;
            packet.iif_index = index_of(facts_, iif);
        }
        if (!oif.empty()) {
            packet.oif = oif;
            packet.oif_index = index_of(facts_, oif);
        }
        packet.mark = 0;
        return packet;
    }

    const Site& site() const { return site_; }

private:
    const Site& site_;
    const Facts& facts_;
};

std::string by(const std::string& iif, const std::string& oif) {
    std::string text;
    if (!iif.empty()) text += "iifname " + iif;
    if (!oif.empty()) text += (text.empty() ? "" : " ") + ("oifname " + oif);
    return text;
}

std::string iptables_by(const std::string& iif, const std::string& oif) {
    std::string text;
    if (!iif.empty()) text += "-i " + iif;
    if (!oif.empty()) text += (text.empty() ? "" : " ") + ("-o " + oif);
    return text;
}

Flow make(std::string words, HookPoint hook, firewall::Packet packet) {
    std::string iif = packet.iif.value_or("");
    std::string oif = packet.oif.value_or("");
    return {std::move(words), hook, std::move(packet), by(iif, oif), iptables_by(iif, oif)};
}

/// The first of the peer's interface links that is there.
const DevLink* dev_link(const Peer& peer, const Facts& facts) {
    for (const Link& link : peer.links)
        if (const auto* dev = std::get_if<DevLink>(&link))
            if (facts.find(dev->dev) != nullptr) return dev;
    return nullptr;
}

bool has_proxy(const Peer& peer) {
    return std::ranges::any_of(peer.links, [](const Link& link) { return std::holds_alternative<SocksLink>(link); });
}

void add_forwarded(std::vector<Flow>& flows, const Builder& builder, const Facts& facts) {
    builder.each_pair([&](const std::string& lan, const Map& map, const Peer& peer, const Prefix& prefix) {
        const DevLink* const link = dev_link(peer, facts);
        if (link == nullptr) return;
        const auto packet = [&](const std::string& iif, const std::string& oif, const Address& source,
                                const Address& destination) {
            auto made = builder.packet(prefix.family(), iif, oif);
            made.source = source;
            made.destination = destination;
            return made;
        };
        const Address host = sample(map.real_prefix);
        const Address own = sample(map.virtual_prefix);
        const Address far = sample(prefix);
        const std::string out = "from " + lan + " to peer " + peer.name + " by " + link->dev;
        const std::string in = "from peer " + peer.name + " by " + link->dev + " to " + lan;
        flows.push_back(make(out, HookPoint::prerouting, packet(lan, "", host, far)));
        flows.push_back(make(out, HookPoint::forward, packet(lan, link->dev, host, far)));
        flows.push_back(make(in, HookPoint::prerouting, packet(link->dev, "", far, own)));
        flows.push_back(make(in, HookPoint::forward, packet(link->dev, lan, far, host)));
    });
}

void add_intercepted(std::vector<Flow>& flows, const Builder& builder) {
    const Marks& marks = builder.site().marks;
    builder.each_pair([&](const std::string& lan, const Map& map, const Peer& peer, const Prefix& prefix) {
        if (!has_proxy(peer)) return;
        auto packet = builder.packet(prefix.family(), lan, "");
        packet.source = sample(map.real_prefix);
        packet.destination = sample(prefix);
        const std::string words = "from " + lan + " to peer " + peer.name + " by the tunnel";
        Flow before = make(words, HookPoint::prerouting, packet);
        packet.mark = marks.tunnel().value;
        Flow flow = make(words, HookPoint::input, std::move(packet));
        flow.nft += fmt::format(" meta mark & {:#010x} == {:#010x}", marks.mask(), marks.tunnel().value);
        flow.iptables += fmt::format(" -m mark --mark {:#x}/{:#x}", marks.tunnel().value, marks.mask());
        flows.push_back(std::move(before));
        flows.push_back(std::move(flow));
    });
}

const char* ip(const Address& address) { return address.family() == Family::ipv4 ? "ip" : "ip6"; }

/// One end of the flow is a socket of this machine at `endpoint`, or far away there.
Flow to_endpoint(std::string words, HookPoint hook, firewall::Packet packet, const Endpoint& endpoint) {
    packet.destination = endpoint.address;
    packet.destination_port = endpoint.port;
    // What comes from where is not known.
    packet.mark = std::nullopt;
    return {std::move(words), hook, std::move(packet),
            fmt::format("{} daddr {} tcp dport {}", ip(endpoint.address), endpoint.address.text(), endpoint.port),
            fmt::format("-p tcp -d {} --dport {}", endpoint.address.text(), endpoint.port)};
}

void add_proxies(std::vector<Flow>& flows, const Builder& builder) {
    for_each_link<SocksLink>(builder.site(), [&](const Peer& peer, const SocksLink& link) {
        const Address& address = link.server.address;
        auto packet = builder.packet(address.family(), "", address.is_loopback() ? "lo" : "");
        flows.push_back(to_endpoint("from natctl-tunnel to the proxy " + link.server.text() + " of peer " + peer.name,
                                    HookPoint::output, std::move(packet), link.server));
    });
}

/// Where several interfaces have the address, the first.
std::string holder_of(const Facts& facts, const Address& address) {
    for (const auto& interface : facts.interfaces)
        if (std::ranges::find(interface.addresses, address, &InterfaceAddress::address) != interface.addresses.end())
            return interface.name;
    return "";
}

void add_listeners(std::vector<Flow>& flows, const Builder& builder, const Facts& facts) {
    for (const ProxyListener& listener : builder.site().tunnel.listeners) {
        const Address& address = listener.listen.address;
        if (address.is_unspecified()) continue;
        auto packet = builder.packet(address.family(), address.is_loopback() ? "lo" : holder_of(facts, address), "");
        const auto source = std::ranges::find_if(
            listener.allow, [&](const Prefix& prefix) { return prefix.family() == address.family(); });
        if (source != listener.allow.end()) packet.source = source->is_host() ? source->first() : sample(*source);
        flows.push_back(to_endpoint("to the tunnel's listener " + listener.listen.text(), HookPoint::input,
                                    std::move(packet), listener.listen));
    }
}

} // namespace

std::vector<Flow> filtered_flows(const Site& site, const Facts& facts) {
    const Builder builder(site, facts);
    std::vector<Flow> flows;
    add_forwarded(flows, builder, facts);
    add_intercepted(flows, builder);
    add_proxies(flows, builder);
    add_listeners(flows, builder, facts);
    return flows;
}

std::vector<TranslatedFlow> translated_flows(const Site& site, const Facts& facts) {
    // natctl translates no destination of a flow to a peer, so every chain comes before it there.
    constexpr int any = std::numeric_limits<int>::max();
    constexpr int own_destination = -110;
    const Builder builder(site, facts);
    std::vector<TranslatedFlow> flows;
    std::vector<Flow> passing;
    add_forwarded(passing, builder, facts);
    add_intercepted(passing, builder);
    for (Flow& flow : passing) {
        if (flow.hook == HookPoint::prerouting) {
            const auto is_lan = std::ranges::find(site.lan, *flow.packet.iif) != site.lan.end();
            flows.push_back({flow, is_lan ? any : own_destination});
        } else if (flow.hook == HookPoint::forward) {
            // As it is after routing; of what comes in, natctl leaves the source alone.
            const bool in = std::ranges::find(site.lan, *flow.packet.oif) != site.lan.end() &&
                            std::ranges::find(site.lan, *flow.packet.iif) == site.lan.end();
            Flow out = flow;
            out.hook = HookPoint::postrouting;
            flows.push_back({std::move(out), in ? any : own_source_priority});
        }
    }
    return flows;
}

} // namespace natctl::doctor
