// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <bit>

#include "nftctl/plan/addressing.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/compile_embedding.h"
#include "nftctl/plan/compile_intercept.h"
#include "nftctl/plan/compile_links.h"
#include "nftctl/plan/ranges.h"
#include "nftctl/plan/rule_words.h"
#include "nftctl/plan/set_words.h"
#include "nftctl/plan/white_list.h"
#include "nftctl/site/uses.h"

namespace natctl {

namespace {

using namespace nft;
using namespace words;

/// Twice the need, so that hosts can be added for a while without a new map: the size is a hard cap in the kernel.
std::uint32_t host_map_size(std::size_t hosts) {
    constexpr std::size_t least = 65536;
    return static_cast<std::uint32_t>(std::bit_ceil(std::max(least, 2 * hosts)));
}

Set host_map(const std::string& name, Family family, const Translation& translation) {
    Set set{{.name = with_family(name, family) + "h",
             .key = {address_type(family)},
             .data = address_type(family),
             .size = host_map_size(translation.hosts.size())},
            {}};
    for (const auto& host : translation.hosts) set.elements.push_back({host.key, host.key, host.target});
    return set;
}

Set prefix_map(const std::string& name, Family family, const Translation& translation) {
    Set set{{.name = with_family(name, family),
             .key = {address_type(family)},
             .data = address_type(family),
             .interval = true,
             .data_interval = true},
            {}};
    for (const auto& prefix : translation.prefixes) {
        Bytes data = prefix.target.first();
        data.append(prefix.target.last());
        set.elements.push_back({prefix.key.first, prefix.key.last, data});
    }
    return set;
}

Set white_now_set(const Site& site, const Facts& facts, Family family) {
    Set set{
        {.name = with_family("white_now", family), .key = {address_type(family)}, .interval = true, .timeout = true},
        {}};
    for (const auto& [range, lifetime] : white_now_ranges(site, facts, family)) {
        set.elements.push_back({range.first, range.last});
        if (lifetime) set.lifetimes.emplace(range.first, *lifetime);
    }
    return set;
}

void add_family(std::vector<Set>& sets, const Site& site, const Facts& facts, Family family,
                const std::vector<AddressRange>& own) {
    std::vector<AddressRange> peers;
    std::vector<AddressRange> tunnelled;
    for (const auto& peer : site.peers) {
        const auto ranges = ranges_of(peer.virtual_prefixes, family);
        peers.insert(peers.end(), ranges.begin(), ranges.end());
        const auto* link = usable_link(peer, facts);
        if (link && std::holds_alternative<SocksLink>(*link))
            tunnelled.insert(tunnelled.end(), ranges.begin(), ranges.end());
    }
    sets.push_back(range_set("own", family, own));
    sets.push_back(range_set("peer", family, peers));
    sets.push_back(range_set("tun", family, tunnelled));
    sets.push_back(range_set("white", family, white_ranges(site, facts, family)));
    sets.push_back(white_now_set(site, facts, family));
    const auto real = to_real(site.maps, family);
    sets.push_back(host_map("dnat", family, real));
    sets.push_back(prefix_map("dnat", family, real));
    const auto virt = to_virtual(site.maps, family);
    sets.push_back(host_map("snat", family, virt));
    sets.push_back(prefix_map("snat", family, virt));
}

} // namespace

std::vector<Set> compile_sets(const Site& site, const Facts& facts) {
    std::vector<Set> sets;
    sets.push_back(interface_set("lan_if", site.lan));
    sets.push_back(interface_set("link_if", link_interfaces(site)));
    // REDIRECT has no UDP.
    sets.push_back(protocol_set("relayed", true, !redirects(site)));
    std::vector<Prefix> names;
    for (const auto& map : site.maps) names.push_back(map.virtual_prefix);
    links::OwnRanges own;
    for (std::size_t i = 0; i < links::families; ++i) {
        own[i] = ranges_of(names, halves()[i].family);
        add_family(sets, site, facts, halves()[i].family, own[i]);
    }
    for (auto& map : links::maps(site, facts, own)) sets.push_back(std::move(map));
    if (!site.embedding_maps.empty()) sets.push_back(embedding::own_set(site));
    for (auto& set : intercept_sets(site, facts)) sets.push_back(std::move(set));
    return sets;
}

} // namespace natctl
