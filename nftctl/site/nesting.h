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
    listener,
    /// Has a meaning of its own everywhere, such as 127.0.0.0/8.
    reserved,
    /// May be used, but not by everybody.
    unwise,
};
inline constexpr std::size_t role_count = 11;

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

/// Finds what overlaps. Prefixes are nested or disjoint, so sorting and one pass will do: for each entry, and each
/// role, calls `report(inner, outer)` with the nearest entry of that role that contains it. Of equal prefixes the one
/// that stands later in the file is the inner one. Sorts the entries.
template <class Report>
void for_each_nested(std::vector<PlacedPrefix>& entries, Report report) {
    std::ranges::sort(entries, [](const PlacedPrefix& a, const PlacedPrefix& b) {
        if (a.prefix != b.prefix) return a.prefix < b.prefix;
        return std::pair(a.file, a.at) < std::pair(b.file, b.at);
    });
    struct Open {
        const PlacedPrefix* entry;
        Address last;
    };
    std::array<std::vector<Open>, role_count> open;
    for (const auto& entry : entries) {
        for (auto& enclosing : open) {
            // Sorted by first address: whoever ends before this one begins has nothing to come inside it.
            while (!enclosing.empty() && enclosing.back().last < entry.prefix.first()) enclosing.pop_back();
            if (!enclosing.empty()) report(entry, *enclosing.back().entry);
        }
        open[static_cast<std::size_t>(entry.role)].push_back({&entry, entry.prefix.last()});
    }
}

} // namespace natctl
