// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What a prefix is in the configuration.
enum class PrefixRole : std::uint8_t {
    own_virtual,
    own_real,
    /// Real, under an embedding map: LANs of other maps may be reached so too.
    embedded,
    peer,
    white_list,
    /// Listed to be intercepted.
    intercepted,
    server,
    gateway,
    /// Asked whether a link works.
    probe,
    listener,
    /// Has a meaning of its own everywhere, such as 127.0.0.0/8.
    reserved,
    /// May be used, but not by everybody.
    unwise,
};
inline constexpr std::size_t role_count = 12;

/// A prefix, or an address as a prefix of full length, with where it comes from.
struct PlacedPrefix {
    Prefix prefix;
    PrefixRole role;
    /// Index of the map, peer or range that it belongs to.
    std::uint32_t owner = 0;
    Position at = {};
    /// As Map::file.
    std::uint32_t file = 0;
};

/// By address, shorter prefixes first; of equal ones that which stands later in the file comes later.
inline bool stands_before(const PlacedPrefix& a, const PlacedPrefix& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return std::pair(a.file, a.at) < std::pair(b.file, b.at);
}

/// Finds what overlaps. Prefixes are nested or disjoint, so one pass in the order of stands_before() will do: for each
/// entry, and each role, calls `report(inner, outer)` with the nearest entry of that role that contains it. Of equal
/// prefixes the one that stands later in the file is the inner one.
template <class Report>
class NestingSweep {
public:
    explicit NestingSweep(Report report) : report_(std::move(report)) {}

    void add(const PlacedPrefix& entry) {
        for (auto& enclosing : open_) {
            // Sorted by first address: whoever ends before this one begins has nothing to come inside it.
            while (!enclosing.empty() && enclosing.back().last < entry.prefix.first()) enclosing.pop_back();
            if (!enclosing.empty()) report_(entry, enclosing.back().entry);
        }
        open_[static_cast<std::size_t>(entry.role)].push_back({entry, entry.prefix.last()});
    }

private:
    struct Open {
        PlacedPrefix entry;
        Address last;
    };

    Report report_;
    std::array<std::vector<Open>, role_count> open_;
};

} // namespace natctl
