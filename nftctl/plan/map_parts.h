// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <map>
#include <optional>
#include <vector>

#include "nftctl/base/ranges.h"
#include "nftctl/plan/own_networks.h"
#include "nftctl/plan/table.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What of a plan follows from the site's maps, whatever the facts are. There may be a quarter of a million of them,
/// and facts change all the time: who compiles a site again and again keeps this. Each part is made when it is asked
/// for first, so that this may be used by one thread alone.
class MapParts {
public:
    using Ranges = std::vector<AddressRange>;

    /// The site must outlive it.
    explicit MapParts(const Site& site) : site_(site) {}

    /// own4, dnat4h, dnat4, snat4h, snat4, or their like, in this order.
    const std::vector<nft::Set>& sets(Family family) const;
    const std::vector<OwnNetwork>& networks() const;

    // Merged.

    /// The virtual prefixes of this site's maps.
    const Ranges& own(Family family) const;
    /// Those, those with an IPv4 address inside, and the ones of peers.
    const Ranges& virtual_ranges(Family family) const;
    /// The real prefixes of this site's maps.
    const Ranges& real(Family family) const;

    /// Whether it lies in the real prefix of a map.
    bool is_mapped(const Address& real) const;
    /// By the maps alone; nullopt: it has no name.
    std::optional<Address> name_of(const Address& real) const;

private:
    struct Half {
        std::optional<std::vector<nft::Set>> sets;
        std::optional<Ranges> own;
        std::optional<Ranges> virtual_ranges;
        std::optional<Ranges> real;
    };
    Half& half(Family family) const { return halves_[family == Family::ipv4 ? 0 : 1]; }

    const Site& site_;
    mutable std::array<Half, 2> halves_;
    mutable std::optional<std::vector<OwnNetwork>> networks_;
    /// This machine's own addresses.
    mutable std::map<Address, bool> mapped_;
};

} // namespace natctl
