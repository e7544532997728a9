// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/white_list.h"

#include <array>

#include "nftctl/plan/ranges.h"

namespace natctl {

std::span<const Prefix> private_networks() {
    static const std::array networks{
        *Prefix::parse("0.0.0.0/8"),
        *Prefix::parse("10.0.0.0/8"),
        *Prefix::parse("100.64.0.0/10"),
        *Prefix::parse("127.0.0.0/8"),
        *Prefix::parse("169.254.0.0/16"),
        *Prefix::parse("172.16.0.0/12"),
        *Prefix::parse("192.0.0.0/24"),
        *Prefix::parse("192.168.0.0/16"),
        *Prefix::parse("224.0.0.0/4"),
        *Prefix::parse("255.255.255.255"),
        *Prefix::parse("::"),
        *Prefix::parse("::1"),
        *Prefix::parse("fc00::/7"),
        *Prefix::parse("fe80::/10"),
        *Prefix::parse("ff00::/8"),
    };
    return networks;
}

std::vector<WhiteEntry> white_entries(const Site& site, const MapParts& maps, const Facts& facts, Family family) {
    const auto& list = site.white_list;
    // The cuts take a while where there are many maps.
    if (list.prefixes.empty() && list.endpoints.empty() && list.interfaces.empty() && !list.private_networks &&
        facts.white_now.empty())
        return {};
    const auto& cuts = maps.virtual_ranges(family);
    std::vector<WhiteEntry> entries;
    const auto add = [&](const AddressRange& range, WhiteSource source, const std::string& name = {}) {
        if (range.first.family() != family) return;
        for (const auto& rest : without(range, cuts)) entries.push_back({rest, source, name, {}});
    };
    for (const auto& prefix : list.prefixes) add(prefix.range(), WhiteSource::prefix);
    for (const auto& endpoint : list.endpoints) {
        if (const auto address = Address::parse(endpoint)) add({*address, *address}, WhiteSource::endpoint, endpoint);
        if (const auto found = facts.endpoints.find(endpoint); found != facts.endpoints.end())
            for (const auto& address : found->second) add({address, address}, WhiteSource::endpoint, endpoint);
    }
    for (const auto& name : list.interfaces)
        if (const auto* interface = facts.find(name))
            for (const auto& assigned : interface->addresses)
                add({assigned.address, assigned.address}, WhiteSource::interface, name);
    if (list.private_networks)
        for (const auto& prefix : private_networks()) add(prefix.range(), WhiteSource::private_network);
    for (const auto& entry : facts.white_now) {
        if (entry.prefix.family() != family) continue;
        for (const auto& rest : without(entry.prefix.range(), cuts))
            entries.push_back({rest, WhiteSource::run_time, entry.name, entry.lifetime});
    }
    return entries;
}

std::vector<AddressRange> white_ranges(const Site& site, const MapParts& maps, const Facts& facts, Family family) {
    std::vector<AddressRange> ranges;
    for (const auto& entry : white_entries(site, maps, facts, family))
        if (entry.source != WhiteSource::run_time) ranges.push_back(entry.range);
    return merged(std::move(ranges));
}

std::vector<TimedRange> white_now_ranges(const Site& site, const MapParts& maps, const Facts& facts, Family family) {
    if (facts.white_now.empty()) return {};
    std::vector<TimedRange> ranges;
    for (const auto& entry : white_entries(site, maps, facts, family))
        if (entry.source == WhiteSource::run_time) ranges.push_back({entry.range, entry.lifetime});
    return longest_lived(ranges);
}

std::vector<TimedRange> all_white_ranges(const Site& site, const MapParts& maps, const Facts& facts, Family family) {
    std::vector<TimedRange> ranges;
    for (const auto& entry : white_entries(site, maps, facts, family)) ranges.push_back({entry.range, entry.lifetime});
    return longest_lived(ranges);
}

} // namespace natctl
