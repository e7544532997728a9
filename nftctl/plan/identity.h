// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include "nftctl/base/fingerprint.h"
#include "nftctl/plan/plan.h"

namespace natctl {

/// A set of our table with one element, which says what else the table holds: 128 bits over all sets, chains and
/// objects, but for elements that have a lifetime. Who finds it, and the generation of nf_tables that our last commit
/// left, need not read the table.
inline constexpr const char* identity_name = "identity";

nft::SetSpec identity_spec();

/// Makes it for one table after another, at the cost of what differs from the last one.
class IdentityMaker {
public:
    /// Of a table without the set itself.
    nft::Set make(const nft::Table& table);

private:
    /// The last table without elements, and its fingerprint.
    std::optional<nft::Table> structure_;
    Fingerprint fingerprint_;
};

/// Of a table without the set itself.
nft::Set identity_set(const nft::Table& table);

/// What such a set says; nullopt when it does not have exactly one element.
std::optional<Address> identity_of(const nft::Elements& elements);
/// The identity in a plan's table; nullopt when it has none.
std::optional<Address> identity_of(const Plan& plan);

} // namespace natctl
