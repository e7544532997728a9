// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/addressing.h"

#include <algorithm>

#include "nftctl/plan/ranges.h"

namespace natctl {

namespace {

std::vector<const Map*> of_family(const std::vector<Map>& maps, Family family) {
    std::vector<const Map*> result;
    for (const auto& map : maps)
        if (map.virtual_prefix.family() == family) result.push_back(&map);
    return result;
}

/// Longer prefixes after the shorter ones that may cover them, else by address.
std::vector<const Map*> prefixes_shortest_first(const std::vector<const Map*>& maps) {
    std::vector<const Map*> result;
    for (const auto* map : maps)
        if (!map->is_host()) result.push_back(map);
    std::ranges::sort(result, [](const Map* a, const Map* b) {
        return std::pair(a->virtual_prefix.length(), a->virtual_prefix) <
               std::pair(b->virtual_prefix.length(), b->virtual_prefix);
    });
    return result;
}

void add(std::vector<PrefixTranslation>& translations, const std::vector<AddressRange>& keys, const Prefix& target) {
    for (const auto& key : keys) translations.push_back({key, target});
}

template <class T>
void sort_by_key(std::vector<T>& translations) {
    if (!std::ranges::is_sorted(translations, {}, &T::key)) std::ranges::sort(translations, {}, &T::key);
}

/// As the kernel does: the host first, then the prefix whose key holds the address.
std::optional<Address> look_up(const Translation& translation, const Address& address) {
    const auto host = std::ranges::lower_bound(translation.hosts, address, {}, &HostTranslation::key);
    if (host != translation.hosts.end() && host->key == address) return host->target;
    for (const auto& prefix : translation.prefixes)
        if (prefix.key.contains(address))
            return translate(address, Prefix(address, prefix.target.length()), prefix.target);
    return std::nullopt;
}

} // namespace

Translation to_real(const std::vector<Map>& all, Family family) {
    const auto maps = of_family(all, family);
    Translation result;
    for (const auto* map : maps)
        if (map->is_host()) result.hosts.push_back({map->virtual_prefix.network(), map->real_prefix.network()});
    // From the longest to the shortest: what is taken already is cut out of the next.
    const auto prefixes = prefixes_shortest_first(maps);
    std::vector<AddressRange> taken;
    for (auto map = prefixes.rbegin(); map != prefixes.rend(); ++map) {
        add(result.prefixes, without((*map)->virtual_prefix.range(), taken), (*map)->real_prefix);
        taken.push_back((*map)->virtual_prefix.range());
        taken = merged(std::move(taken));
    }
    sort_by_key(result.hosts);
    sort_by_key(result.prefixes);
    return result;
}

Translation to_virtual(const std::vector<Map>& all, Family family) {
    const auto maps = of_family(all, family);
    Translation result;
    for (const auto* map : maps)
        if (map->is_host()) result.hosts.push_back({map->real_prefix.network(), map->virtual_prefix.network()});
    const auto prefixes = prefixes_shortest_first(maps);

    std::vector<Prefix> virtual_hosts;
    for (const auto* map : maps)
        if (map->is_host()) virtual_hosts.push_back(map->virtual_prefix);
    std::ranges::sort(virtual_hosts);

    std::vector<AddressRange> taken;
    for (auto map = prefixes.rbegin(); map != prefixes.rend(); ++map) {
        const Prefix& virt = (*map)->virtual_prefix;
        const Prefix& real = (*map)->real_prefix;
        auto cuts = taken;
        const auto cut_image = [&](const Prefix& inner) {
            cuts.push_back({translate(inner.first(), virt, real), translate(inner.last(), virt, real)});
        };
        const auto hosts_begin = std::ranges::lower_bound(virtual_hosts, virt.first(), {}, &Prefix::network);
        for (auto host = hosts_begin; host != virtual_hosts.end() && virt.contains(*host); ++host) cut_image(*host);
        for (const auto* other : prefixes)
            if (other->virtual_prefix.length() > virt.length() && virt.contains(other->virtual_prefix))
                cut_image(other->virtual_prefix);
        add(result.prefixes, without(real.range(), merged(std::move(cuts))), virt);
        taken.push_back(real.range());
        taken = merged(std::move(taken));
    }
    sort_by_key(result.hosts);
    sort_by_key(result.prefixes);
    return result;
}

std::optional<Address> virtual_of(const std::vector<Map>& maps, const Address& real) {
    std::vector<Map> relevant;
    for (const auto& map : maps)
        if (!map.is_host()) relevant.push_back(map);
    std::vector<Address> names;
    for (const auto& map : relevant)
        if (map.real_prefix.contains(real)) names.push_back(translate(real, map.real_prefix, map.virtual_prefix));
    // Of the hosts, of which there may be very many: the one itself, and those that took a name it could have.
    for (const auto& map : maps)
        if (map.is_host() && (map.real_prefix.network() == real ||
                              std::ranges::find(names, map.virtual_prefix.network()) != names.end()))
            relevant.push_back(map);
    return look_up(to_virtual(relevant, real.family()), real);
}

std::optional<Address> real_of(const std::vector<Map>& maps, const Address& virt) {
    std::vector<Map> relevant;
    for (const auto& map : maps)
        if (map.virtual_prefix.contains(virt)) relevant.push_back(map);
    return look_up(to_real(relevant, virt.family()), virt);
}

} // namespace natctl
