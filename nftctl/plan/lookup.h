// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include "nftctl/plan/table.h"

namespace natctl {

// As the kernel finds things in sets and maps.

/// The element whose keys hold this one, which has one part; nullptr: none, or no set.
const nft::Element* find_element(const nft::Set* set, nft::BytesView key);

/// What the kernel's prefix NAT makes of an address: the network bits of a range, which is its first address and its
/// last, and the host bits of the address (nft_nat_setup_netmap() in net/netfilter/nft_nat.c).
Address netmap(const Address& address, nft::BytesView range);

/// What a map of hosts makes of it, else one of prefixes; nullopt: neither has it.
std::optional<Address> translated(const nft::Set* hosts, const nft::Set* prefixes, const Address& address);

} // namespace natctl
