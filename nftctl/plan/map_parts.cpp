// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/map_parts.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "nftctl/plan/addressing.h"
#include "nftctl/plan/lookup.h"
#include "nftctl/plan/set_words.h"

namespace natctl {

namespace {

using namespace nft;
using namespace words;

/// Among sets().
enum Place : std::size_t { name_hosts = 3, name_prefixes = 4 };

/// Twice the need, so that hosts can be added for a while without a new map: the size is a hard cap in the kernel.
std::uint32_t host_map_size(std::size_t hosts) {
    constexpr std::size_t least = 65536;
    return static_cast<std::uint32_t>(std::bit_ceil(std::max(least, 2 * hosts)));
}

Set host_map(const std::string& name, Family family, const Translation& translation) {
    std::vector<Element> elements;
    elements.reserve(translation.hosts.size());
    for (const auto& host : translation.hosts) elements.push_back({host.key, host.key, host.target});
    return {{.name = with_family(name, family) + "h",
             .key = {address_type(family)},
             .data = address_type(family),
             .size = host_map_size(translation.hosts.size())},
            std::move(elements)};
}

Set prefix_map(const std::string& name, Family family, const Translation& translation) {
    std::vector<Element> elements;
    for (const auto& prefix : translation.prefixes) {
        Bytes data = prefix.target.first();
        data.append(prefix.target.last());
        elements.push_back({prefix.key.first, prefix.key.last, data});
    }
    return {{.name = with_family(name, family),
             .key = {address_type(family)},
             .data = address_type(family),
             .interval = true,
             .data_interval = true},
            std::move(elements)};
}

std::vector<AddressRange> ranges_of(const std::vector<Map>& maps, Family family, Prefix Map::*side) {
    std::vector<AddressRange> ranges;
    for (const auto& map : maps)
        if ((map.*side).family() == family) ranges.push_back((map.*side).range());
    return merged(std::move(ranges));
}

template <class T>
const T& kept(std::optional<T>& place, auto make) {
    if (!place) place = make();
    return *place;
}

} // namespace

const std::vector<Set>& MapParts::sets(Family family) const {
    return kept(half(family).sets, [&] {
        const auto real = to_real(site_.maps, family);
        const auto names = to_virtual(site_.maps, family);
        return std::vector{range_set("own", family, own(family)), host_map("dnat", family, real),
                           prefix_map("dnat", family, real), host_map("snat", family, names),
                           prefix_map("snat", family, names)};
    });
}

const std::vector<OwnNetwork>& MapParts::networks() const {
    return kept(networks_, [&] { return own_networks(site_.maps); });
}

const MapParts::Ranges& MapParts::own(Family family) const {
    return kept(half(family).own, [&] { return ranges_of(site_.maps, family, &Map::virtual_prefix); });
}

const MapParts::Ranges& MapParts::virtual_ranges(Family family) const {
    return kept(half(family).virtual_ranges, [&] {
        Ranges ranges = own(family);
        const auto add = [&](const Prefix& prefix) {
            if (prefix.family() == family) ranges.push_back(prefix.range());
        };
        for (const auto& map : site_.embedding_maps) add(map.virtual_prefix);
        for (const auto& peer : site_.peers)
            for (const auto& prefix : peer.virtual_prefixes) add(prefix);
        return merged(std::move(ranges));
    });
}

const MapParts::Ranges& MapParts::real(Family family) const {
    return kept(half(family).real, [&] { return ranges_of(site_.maps, family, &Map::real_prefix); });
}

bool MapParts::is_mapped(const Address& real) const {
    const auto [place, fresh] = mapped_.try_emplace(real, false);
    if (fresh)
        place->second = std::ranges::any_of(site_.maps, [&](const Map& map) { return map.real_prefix.contains(real); });
    return place->second;
}

std::optional<Address> MapParts::name_of(const Address& real) const {
    const auto& all = sets(real.family());
    return translated(&all[name_hosts], &all[name_prefixes], real);
}

} // namespace natctl
