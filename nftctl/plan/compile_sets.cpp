// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/compile.h"
#include "nftctl/plan/compile_embedding.h"
#include "nftctl/plan/compile_intercept.h"
#include "nftctl/plan/compile_links.h"
#include "nftctl/plan/rule_words.h"
#include "nftctl/plan/set_words.h"
#include "nftctl/plan/white_list.h"
#include "nftctl/site/uses.h"

namespace natctl {

namespace {

using namespace nft;
using namespace words;

Set white_now_set(const Site& site, const MapParts& maps, const Facts& facts, Family family) {
    Set set{
        {.name = with_family("white_now", family), .key = {address_type(family)}, .interval = true, .timeout = true},
        {}};
    for (const auto& [range, lifetime] : white_now_ranges(site, maps, facts, family)) {
        set.elements.edit().push_back({range.first, range.last});
        if (lifetime) set.lifetimes.emplace(range.first, *lifetime);
    }
    return set;
}

void add_family(std::vector<Set>& sets, const Site& site, const MapParts& maps, const Facts& facts, Family family) {
    std::vector<AddressRange> peers;
    std::vector<AddressRange> tunnelled;
    for (const auto& peer : site.peers) {
        const auto ranges = ranges_of(peer.virtual_prefixes, family);
        peers.insert(peers.end(), ranges.begin(), ranges.end());
        const auto* link = usable_link(peer, facts);
        if (link && std::holds_alternative<SocksLink>(*link))
            tunnelled.insert(tunnelled.end(), ranges.begin(), ranges.end());
    }
    const auto& of_maps = maps.sets(family);
    sets.push_back(of_maps.front());
    sets.push_back(range_set("peer", family, peers));
    sets.push_back(range_set("tun", family, tunnelled));
    sets.push_back(range_set("white", family, white_ranges(site, maps, facts, family)));
    sets.push_back(white_now_set(site, maps, facts, family));
    sets.insert(sets.end(), of_maps.begin() + 1, of_maps.end());
}

} // namespace

std::vector<Set> compile_sets(const Site& site, const MapParts& maps, const Facts& facts) {
    std::vector<Set> sets;
    sets.push_back(interface_set("lan_if", site.lan));
    sets.push_back(interface_set("link_if", link_interfaces(site)));
    // REDIRECT has no UDP.
    sets.push_back(protocol_set("relayed", true, !redirects(site)));
    for (const auto family : {Family::ipv4, Family::ipv6}) add_family(sets, site, maps, facts, family);
    for (auto& map : links::maps(site, maps, facts)) sets.push_back(std::move(map));
    if (!site.embedding_maps.empty()) sets.push_back(embedding::own_set(site));
    for (auto& set : intercept_sets(site, maps, facts)) sets.push_back(std::move(set));
    return sets;
}

} // namespace natctl
