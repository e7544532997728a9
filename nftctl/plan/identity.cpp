// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/identity.h"

#include <string_view>

#include "nftctl/plan/render.h"

namespace natctl {

namespace {

/// FNV-1a of 128 bits. It has to tell our own tables apart, not those that somebody makes alike on purpose: who may
/// write the table needs no such trick.
class Hash {
public:
    void add(std::span<const std::uint8_t> bytes) {
        for (const auto byte : bytes) value_ = (value_ ^ byte) * prime;
        // So that parts do not run into each other.
        value_ = (value_ ^ bytes.size()) * prime;
    }
    void add(std::string_view text) { add(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size())); }

    Address address() const {
        std::array<std::uint8_t, 16> bytes{};
        for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(value_ >> (120 - 8 * i));
        return Address::from_bytes(Family::ipv6, bytes);
    }

private:
    __extension__ using Number = unsigned __int128;
    static constexpr Number prime = (Number(1) << 88) + 0x13b;
    Number value_ = (Number(0x6c62272e07bb0142) << 64) + 0x62b821756295c58d;
};

} // namespace

nft::SetSpec identity_spec() { return {.name = identity_name, .key = {nft::Datatype::ipv6_addr}}; }

nft::Set identity_set(const nft::Table& table) {
    Hash hash;
    nft::Table empty{.sets = {}, .chains = table.chains, .helpers = table.helpers};
    for (const auto& set : table.sets) empty.sets.push_back({set.spec, {}});
    hash.add(render(Plan{.table = std::move(empty)}));
    for (const auto& set : table.sets) {
        if (set.spec.timeout) continue;
        hash.add(set.spec.name);
        for (const auto& element : set.elements)
            for (const auto part : {element.first(), element.last(), element.data()}) hash.add(part.span());
    }
    const auto identity = hash.address();
    return {identity_spec(), {{identity, identity}}};
}

std::optional<Address> identity_of(const std::vector<nft::Element>& elements) {
    if (elements.size() != 1 || elements.front().first().size() != 16) return std::nullopt;
    return Address::from_bytes(Family::ipv6, elements.front().first().span());
}

std::optional<Address> identity_of(const Plan& plan) {
    const auto* const set = plan.table ? plan.table->find_set(identity_name) : nullptr;
    return set ? identity_of(set->elements) : std::nullopt;
}

} // namespace natctl
