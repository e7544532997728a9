// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/whose.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "nftctl/plan/addressing.h"

namespace natctl {

namespace {

constexpr unsigned embedding_length = 96;
constexpr std::size_t ipv4_offset = 12;

bool any_contains(const std::vector<Prefix>& prefixes, const Address& address) {
    return std::ranges::any_of(prefixes, [&](const Prefix& prefix) { return prefix.contains(address); });
}

bool may_embed(const Prefix& prefix) { return prefix.family() == Family::ipv6 && prefix.length() == embedding_length; }

std::optional<Address> real_behind(const Site& site, const Address& virt) {
    for (const auto& map : site.embedding_maps)
        if (map.virtual_prefix.contains(virt)) {
            const auto inner = embedded_in(virt);
            return any_contains(map.real_prefixes, inner) ? std::optional(inner) : std::nullopt;
        }
    return real_of(site.maps, virt);
}

bool is_own_virtual(const Site& site, const Address& address) {
    return std::ranges::any_of(site.maps, [&](const Map& map) { return map.virtual_prefix.contains(address); }) ||
           std::ranges::any_of(site.embedding_maps,
                               [&](const EmbeddingMap& map) { return map.virtual_prefix.contains(address); });
}

bool is_own_real(const Site& site, const Address& address) {
    return std::ranges::any_of(site.maps, [&](const Map& map) { return map.real_prefix.contains(address); }) ||
           std::ranges::any_of(site.embedding_maps,
                               [&](const EmbeddingMap& map) { return any_contains(map.real_prefixes, address); });
}

void fill_own(Whose& result, const Site& site, const Address& real) {
    result.real = real;
    const auto preferred = virtual_of(site.maps, real);
    result.seen_as_router = !preferred;
    if (preferred) result.virtuals.push_back(*preferred);
    for (const auto& map : site.maps) {
        if (!map.real_prefix.contains(real)) continue;
        if (map.is_host() && result.name.empty()) result.name = map.name;
        const auto candidate = translate(real, map.real_prefix, map.virtual_prefix);
        if (candidate != preferred && real_of(site.maps, candidate) == real) result.virtuals.push_back(candidate);
    }
    if (real.family() != Family::ipv4) return;
    for (const auto& map : site.embedding_maps)
        if (any_contains(map.real_prefixes, real)) result.virtuals.push_back(embed(map.virtual_prefix, real));
}

} // namespace

const char* name_of(Whose::Kind kind) {
    switch (kind) {
    case Whose::Kind::nobodys: return "nobody";
    case Whose::Kind::own_virtual: return "own virtual";
    case Whose::Kind::own_real: return "own real";
    case Whose::Kind::peers: return "peer";
    }
    return "?";
}

Whose whose(const Site& site, const Address& address) {
    Whose result;
    if (is_own_virtual(site, address)) {
        result.kind = Whose::Kind::own_virtual;
        if (const auto real = real_behind(site, address)) fill_own(result, site, *real);
        return result;
    }
    for (const auto& peer : site.peers)
        for (const auto& prefix : peer.virtual_prefixes)
            if (prefix.contains(address)) {
                result.kind = Whose::Kind::peers;
                result.peer = &peer;
                result.prefix = prefix;
                if (may_embed(prefix)) result.embedded = embedded_in(address);
                return result;
            }
    if (is_own_real(site, address)) {
        result.kind = Whose::Kind::own_real;
        fill_own(result, site, address);
    }
    return result;
}

const Map* find_name(const Site& site, const std::string& name) {
    const auto found = std::ranges::find_if(site.maps, [&](const Map& map) {
        return !map.name.empty() && (map.name == name || map.name + "." + site.name == name);
    });
    return found == site.maps.end() ? nullptr : &*found;
}

std::string address_text(const Site& site, const Address& address) {
    const auto found = whose(site, address);
    const bool own = std::ranges::any_of(site.embedding_maps,
                                         [&](const EmbeddingMap& map) { return map.virtual_prefix.contains(address); });
    if (!own && !found.embedded) return address.text();
    const auto prefix = Prefix(address, embedding_length).network().text();
    if (prefix.ends_with("::")) return prefix + embedded_in(address).text();
    std::string groups;
    for (std::size_t i = 0; i < ipv4_offset; i += 2) {
        const unsigned value = address.bytes()[i] * 256u + address.bytes()[i + 1];
        groups += fmt::format("{:x}:", value);
    }
    return groups + embedded_in(address).text();
}

} // namespace natctl
