// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/lookup.h"

#include <algorithm>
#include <array>

namespace natctl {

using namespace nft;

const Element* find_element(const Set* set, BytesView key) {
    if (!set) return nullptr;
    const auto after = std::ranges::upper_bound(set->elements, key, {}, &Element::first);
    if (after == set->elements.begin()) return nullptr;
    const Element& element = *std::prev(after);
    return key <= element.last() ? &element : nullptr;
}

Address netmap(const Address& address, BytesView range) {
    const auto bytes = address.bytes();
    const auto first = range.span().first(bytes.size());
    const auto last = range.span().last(bytes.size());
    std::array<std::uint8_t, 16> result{};
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const unsigned host_bits = first[i] ^ last[i];
        result[i] = static_cast<std::uint8_t>((bytes[i] & host_bits) | (first[i] & ~host_bits));
    }
    return Address::from_bytes(address.family(), std::span(result).first(bytes.size()));
}

std::optional<Address> translated(const Set* hosts, const Set* prefixes, const Address& address) {
    if (const auto* host = find_element(hosts, address.bytes()))
        return Address::from_bytes(address.family(), host->data().span());
    if (const auto* prefix = find_element(prefixes, address.bytes())) return netmap(address, prefix->data());
    return std::nullopt;
}

} // namespace natctl
