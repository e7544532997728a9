// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/identity.h"

#include "nftctl/base/fingerprint.h"
#include "nftctl/plan/render.h"

namespace natctl {

nft::SetSpec identity_spec() { return {.name = identity_name, .key = {nft::Datatype::ipv6_addr}}; }

nft::Set identity_set(const nft::Table& table) {
    // It has to tell our own tables apart: who may write the table needs no trick to make two alike.
    Fingerprint hash;
    nft::Table empty{.sets = {}, .chains = table.chains, .helpers = table.helpers, .ownable = table.ownable};
    for (const auto& set : table.sets) empty.sets.push_back({set.spec, {}});
    hash.add(render(Plan{.table = std::move(empty)}));
    for (const auto& set : table.sets) {
        if (set.spec.timeout) continue;
        hash.add(set.spec.name);
        hash.add(set.elements.fingerprint());
    }
    const auto identity = Address::from_bytes(Family::ipv6, hash.bytes());
    return {identity_spec(), {{identity, identity}}};
}

std::optional<Address> identity_of(const nft::Elements& elements) {
    if (elements.size() != 1 || elements.front().first().size() != 16) return std::nullopt;
    return Address::from_bytes(Family::ipv6, elements.front().first().span());
}

std::optional<Address> identity_of(const Plan& plan) {
    const auto* const set = plan.table ? plan.table->find_set(identity_name) : nullptr;
    return set ? identity_of(set->elements) : std::nullopt;
}

} // namespace natctl
