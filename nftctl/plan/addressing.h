// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "nftctl/site/site.h"

namespace natctl {

/// Addresses of `key` become addresses of `target`: the network bits of `target`, the host bits of the address.
struct PrefixTranslation {
    AddressRange key;
    Prefix target;
    bool operator==(const PrefixTranslation&) const = default;
};

struct HostTranslation {
    Address key;
    Address target;
    bool operator==(const HostTranslation&) const = default;
};

/// One direction of the maps of one family. A host entry is looked up first; what it misses falls through to the
/// prefixes, whose keys do not overlap.
struct Translation {
    std::vector<HostTranslation> hosts;
    std::vector<PrefixTranslation> prefixes;
};

/// Virtual to real. Of nested maps the longest prefix wins: shorter ones are split around it.
Translation to_real(const std::vector<Map>& maps, Family family);

/// Real to virtual, the inverse. A real address whose virtual one another map has taken has no entry: otherwise it
/// would appear under another host's name.
Translation to_virtual(const std::vector<Map>& maps, Family family);

/// The virtual address of a real one by to_virtual(); nullopt when it has none.
std::optional<Address> virtual_of(const std::vector<Map>& maps, const Address& real);

/// The real address behind a virtual one by to_real(); nullopt when no map has it.
std::optional<Address> real_of(const std::vector<Map>& maps, const Address& virt);

} // namespace natctl
