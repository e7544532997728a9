// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/plan/map_parts.h"
#include "nftctl/plan/timed_ranges.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What is never an address of the Internet: RFC 6890 without the ranges for documentation and benchmarks.
std::span<const Prefix> private_networks();

enum class WhiteSource : std::uint8_t { prefix, endpoint, interface, private_network, run_time };

/// One of the things that put addresses on the white list.
struct WhiteEntry {
    AddressRange range;
    WhiteSource source;
    /// Of the endpoint or interface.
    std::string name = {};
    /// Of what was added at run time: until it ends. Absent: it has no end.
    std::optional<std::chrono::milliseconds> lifetime = {};
};

// `maps` are the site's.

/// What the white list is made of, one by one, in the order of site.toml; then what was added at run time. Virtual
/// prefixes are cut out, as in white_ranges().
std::vector<WhiteEntry> white_entries(const Site& site, const MapParts& maps, const Facts& facts, Family family);

/// What site.toml puts on the white list in this family: prefixes, addresses of endpoints and interfaces, and private
/// networks if the site wants them. Merged. Own virtual prefixes and those of peers are cut out, whoever named them:
/// what is on the list is never translated.
std::vector<AddressRange> white_ranges(const Site& site, const MapParts& maps, const Facts& facts, Family family);

/// What was added to it at run time, in the same way.
std::vector<TimedRange> white_now_ranges(const Site& site, const MapParts& maps, const Facts& facts, Family family);

/// Both of them.
std::vector<TimedRange> all_white_ranges(const Site& site, const MapParts& maps, const Facts& facts, Family family);

} // namespace natctl
