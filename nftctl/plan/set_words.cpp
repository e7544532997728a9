// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/set_words.h"

#include <algorithm>

#include "nftctl/plan/ranges.h"
#include "nftctl/plan/rule_words.h"

namespace natctl::nft::words {

Datatype address_type(Family family) { return family == Family::ipv4 ? Datatype::ipv4_addr : Datatype::ipv6_addr; }

std::string with_family(const std::string& name, Family family) { return name + (family == Family::ipv4 ? "4" : "6"); }

Set interface_set(const std::string& name, const std::vector<std::string>& interfaces) {
    Set set{{.name = name, .key = {Datatype::ifname}}, {}};
    for (const auto& interface : interfaces) {
        Bytes key;
        key.append_interface(interface);
        set.elements.push_back({key, key});
    }
    std::ranges::sort(set.elements);
    set.elements.erase(std::unique(set.elements.begin(), set.elements.end()), set.elements.end());
    return set;
}

Set range_set(const std::string& name, Family family, std::vector<AddressRange> ranges) {
    return range_set_named(with_family(name, family), family, std::move(ranges));
}

Set range_set_named(const std::string& name, Family family, std::vector<AddressRange> ranges) {
    Set set{{.name = name, .key = {address_type(family)}, .interval = true}, {}};
    for (const auto& range : merged(std::move(ranges))) set.elements.push_back({range.first, range.last});
    return set;
}

Set protocol_set(const std::string& name, bool tcp, bool udp) {
    Set set{{.name = name, .key = {Datatype::inet_proto}}, {}};
    const auto add = [&](std::uint8_t protocol) {
        Bytes key;
        key.append(std::array{protocol});
        set.elements.push_back({key, key});
    };
    if (tcp) add(static_cast<std::uint8_t>(protocol_tcp));
    if (udp) add(static_cast<std::uint8_t>(protocol_udp));
    return set;
}

std::vector<AddressRange> ranges_of(const std::vector<Prefix>& prefixes, Family family) {
    std::vector<AddressRange> ranges;
    for (const auto& prefix : prefixes)
        if (prefix.family() == family) ranges.push_back(prefix.range());
    return merged(std::move(ranges));
}

Prefix all_addresses(Family family) { return {family == Family::ipv4 ? Address() : *Address::parse("::"), 0}; }

} // namespace natctl::nft::words
