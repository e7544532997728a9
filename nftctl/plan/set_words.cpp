// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/set_words.h"

#include <algorithm>

#include "nftctl/plan/ranges.h"
#include "nftctl/plan/rule_words.h"

namespace natctl::nft::words {

Datatype address_type(Family family) { return family == Family::ipv4 ? Datatype::ipv4_addr : Datatype::ipv6_addr; }

std::string with_family(const std::string& name, Family family) { return name + (family == Family::ipv4 ? "4" : "6"); }

Set interface_set(const std::string& name, const std::vector<std::string>& interfaces) {
    std::vector<Element> elements;
    for (const auto& interface : interfaces) {
        Bytes key;
        key.append_interface(interface);
        elements.push_back({key, key});
    }
    std::ranges::sort(elements);
    elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
    return {{.name = name, .key = {Datatype::ifname}}, std::move(elements)};
}

Set range_set(const std::string& name, Family family, std::vector<AddressRange> ranges) {
    return range_set_named(with_family(name, family), family, std::move(ranges));
}

Set range_set_named(const std::string& name, Family family, std::vector<AddressRange> ranges) {
    std::vector<Element> elements;
    for (const auto& range : merged(std::move(ranges))) elements.push_back({range.first, range.last});
    return {{.name = name, .key = {address_type(family)}, .interval = true}, std::move(elements)};
}

Set protocol_set(const std::string& name, bool tcp, bool udp) {
    std::vector<Element> elements;
    const auto add = [&](std::uint8_t protocol) {
        Bytes key;
        key.append(std::array{protocol});
        elements.push_back({key, key});
    };
    if (tcp) add(static_cast<std::uint8_t>(protocol_tcp));
    if (udp) add(static_cast<std::uint8_t>(protocol_udp));
    return {{.name = name, .key = {Datatype::inet_proto}}, std::move(elements)};
}

std::vector<AddressRange> ranges_of(const std::vector<Prefix>& prefixes, Family family) {
    std::vector<AddressRange> ranges;
    for (const auto& prefix : prefixes)
        if (prefix.family() == family) ranges.push_back(prefix.range());
    return merged(std::move(ranges));
}

Prefix all_addresses(Family family) { return {family == Family::ipv4 ? Address() : *Address::parse("::"), 0}; }

} // namespace natctl::nft::words
