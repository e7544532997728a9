// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/identity.h"

#include <algorithm>
#include <utility>

#include "nftctl/plan/render.h"

namespace natctl {

namespace {

bool differ_in_elements_at_most(const nft::Table& one, const nft::Table& other) {
    return one.ownable == other.ownable && one.helpers == other.helpers && one.chains == other.chains &&
           std::ranges::equal(one.sets, other.sets, {}, &nft::Set::spec, &nft::Set::spec);
}

nft::Table without_elements(const nft::Table& table) {
    nft::Table result{.sets = {}, .chains = table.chains, .helpers = table.helpers, .ownable = table.ownable};
    for (const auto& set : table.sets) result.sets.push_back({set.spec, {}});
    return result;
}

} // namespace

nft::SetSpec identity_spec() { return {.name = identity_name, .key = {nft::Datatype::ipv6_addr}}; }

nft::Set IdentityMaker::make(const nft::Table& table) {
    // It has to tell our own tables apart: who may write the table needs no trick to make two alike.
    if (!structure_ || !differ_in_elements_at_most(*structure_, table)) {
        auto structure = without_elements(table);
        fingerprint_ = {};
        fingerprint_.add(render(Plan{.table = structure}));
        structure_ = std::move(structure);
    }
    Fingerprint hash = fingerprint_;
    for (const auto& set : table.sets) {
        if (set.spec.timeout) continue;
        hash.add(set.spec.name);
        hash.add(set.elements.fingerprint());
    }
    const auto identity = Address::from_bytes(Family::ipv6, hash.bytes());
    return {identity_spec(), {{identity, identity}}};
}

nft::Set identity_set(const nft::Table& table) { return IdentityMaker().make(table); }

std::optional<Address> identity_of(const nft::Elements& elements) {
    if (elements.size() != 1 || elements.front().first().size() != 16) return std::nullopt;
    return Address::from_bytes(Family::ipv6, elements.front().first().span());
}

std::optional<Address> identity_of(const Plan& plan) {
    const auto* const set = plan.table ? plan.table->find_set(identity_name) : nullptr;
    return set ? identity_of(set->elements) : std::nullopt;
}

} // namespace natctl
