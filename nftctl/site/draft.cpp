// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/draft.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace natctl {

namespace {

constexpr std::size_t longest_name = 32;

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_private(const Prefix& prefix) {
    static const std::array ranges{Prefix(Address::v4(0x0a000000), 8), Prefix(Address::v4(0xac100000), 12),
                                   Prefix(Address::v4(0xc0a80000), 16)};
    return std::ranges::any_of(ranges, [&](const Prefix& range) { return range.contains(prefix); });
}

/// Bridges whose hosts are containers and virtual machines: Docker, libvirt, LXC, LXD, CNI, Podman.
bool is_of_containers(std::string_view interface) {
    constexpr std::array<std::string_view, 8> prefixes{"docker", "br-", "virbr",  "lxcbr",
                                                       "lxdbr",  "cni", "podman", "veth"};
    return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return interface.starts_with(prefix); });
}

bool is_link_of(const Peer& peer, const std::string& interface) {
    return std::ranges::any_of(peer.links, [&](const Link& link) {
        const auto* dev = std::get_if<DevLink>(&link);
        return dev != nullptr && dev->dev == interface;
    });
}

std::optional<Link> parse_link_wish(const std::string& text) {
    constexpr std::string_view socks5 = "socks5:";
    if (text.starts_with(socks5)) {
        const auto server = Endpoint::parse(std::string_view(text).substr(socks5.size()));
        if (!server) return std::nullopt;
        return SocksLink{.server = *server};
    }
    const auto slash = text.find('/');
    DevLink link{.dev = text.substr(0, slash)};
    if (link.dev.empty()) return std::nullopt;
    if (slash == std::string::npos) return link;
    const auto via = Address::parse(std::string_view(text).substr(slash + 1));
    if (!via) return std::nullopt;
    (via->family() == Family::ipv4 ? link.via4 : link.via6) = via;
    return link;
}

/// FNV-1a: small, and the same on every machine, which std::hash does not promise.
std::uint32_t hash_of(std::string_view text) {
    std::uint32_t hash = 2166136261;
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619;
    return hash;
}

/// What no proposal may overlap: every network that is known here.
std::vector<Prefix> known_prefixes(const Draft& draft) {
    std::vector<Prefix> known = draft.taken;
    for (const auto& lan : draft.lans) {
        known.push_back(lan.real);
        if (lan.virtual_prefix) known.push_back(*lan.virtual_prefix);
    }
    for (const auto& peer : draft.peers) {
        known.insert(known.end(), peer.virtual_prefixes.begin(), peer.virtual_prefixes.end());
        for (const auto& link : peer.links) {
            if (const auto* socks = std::get_if<SocksLink>(&link))
                known.emplace_back(socks->server.address, socks->server.address.bits());
            else if (const auto& via = std::get<DevLink>(link).via4)
                known.emplace_back(*via, via->bits());
        }
    }
    return known;
}

std::optional<Prefix> propose(const std::string& site, unsigned length, const std::vector<Prefix>& known) {
    const Prefix range = proposal_range();
    if (length < range.length() || length > range.network().bits()) return std::nullopt;
    const std::uint32_t places = std::uint32_t{1} << (length - range.length());
    const std::uint32_t first = hash_of(site) % places;
    for (std::uint32_t i = 0; i < places; ++i) {
        const std::uint32_t place = (first + i) % places;
        // From the numeric value of the range on; a shift by 32 never comes, as a length is 15 or more.
        const Prefix prefix(Address::v4(range.network().v4_value() + (place << (32 - length))), length);
        if (std::ranges::none_of(known, [&](const Prefix& other) { return other.overlaps(prefix); })) return prefix;
    }
    return std::nullopt;
}

} // namespace

std::optional<LanWish> parse_lan_wish(const std::string& text) {
    const auto equals = text.find('=');
    LanWish wish{text.substr(0, equals), std::nullopt};
    if (wish.interface.empty()) return std::nullopt;
    if (equals == std::string::npos) return wish;
    wish.real = Prefix::parse(std::string_view(text).substr(equals + 1));
    if (!wish.real) return std::nullopt;
    return wish;
}

std::optional<Peer> parse_peer_wish(const std::string& text) {
    const auto equals = text.find('=');
    const auto at = text.find('@');
    if (equals == std::string::npos || at == std::string::npos || equals == 0 || at < equals) return std::nullopt;
    Peer peer{.name = text.substr(0, equals)};
    std::string_view prefixes = std::string_view(text).substr(equals + 1, at - equals - 1);
    while (true) {
        const auto comma = prefixes.find(',');
        const auto prefix = Prefix::parse(prefixes.substr(0, comma));
        if (!prefix) return std::nullopt;
        peer.virtual_prefixes.push_back(*prefix);
        if (comma == std::string_view::npos) break;
        prefixes.remove_prefix(comma + 1);
    }
    const auto link = parse_link_wish(text.substr(at + 1));
    if (!link) return std::nullopt;
    peer.links.push_back(*link);
    return peer;
}

std::string site_name_of(const std::string& host_name) {
    std::string name = host_name.substr(0, host_name.find('.'));
    std::erase_if(name, [](char c) { return !is_name_character(c); });
    if (name.empty()) return "site";
    return name.substr(0, longest_name);
}

std::vector<DraftLan> find_lans(std::span<const FoundInterface> interfaces, std::span<const Peer> peers) {
    std::vector<DraftLan> lans;
    for (const auto& interface : interfaces) {
        if (interface.is_default || interface.is_overlay || is_of_containers(interface.name)) continue;
        if (std::ranges::any_of(peers, [&](const Peer& peer) { return is_link_of(peer, interface.name); })) continue;
        for (const auto& network : interface.networks)
            if (is_private(network) && network.length() <= 30) lans.push_back({interface.name, network, std::nullopt});
    }
    return lans;
}

Prefix proposal_range() { return {Address::v4(0xc6120000), 15}; }

Proposed propose_virtual_prefixes(Draft& draft) {
    auto known = known_prefixes(draft);
    for (auto& lan : draft.lans) {
        if (lan.virtual_prefix) continue;
        if (lan.real.family() == Family::ipv4) lan.virtual_prefix = propose(draft.site, lan.real.length(), known);
        if (!lan.virtual_prefix) return {false, lan.real};
        known.push_back(*lan.virtual_prefix);
    }
    return {};
}

} // namespace natctl
