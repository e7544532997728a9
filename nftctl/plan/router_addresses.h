// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/plan/map_parts.h"
#include "nftctl/site/site.h"

namespace natctl {

/// The router's own addresses on its LANs: what it is known by, and what its own connections begin with.
class RouterAddresses {
public:
    RouterAddresses(const Site& site, const MapParts& maps, const Facts& facts);

    /// One that lies in `preferred`; else the first that lies in the real prefix of a map.
    std::optional<Address> real(Family family, const std::optional<Prefix>& preferred = {}) const;

private:
    struct Candidate {
        Address address;
        bool mapped;
    };
    std::vector<Candidate> candidates_;
};

} // namespace natctl
