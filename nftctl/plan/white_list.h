// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What is never an address of the Internet: RFC 6890 without the ranges for documentation and benchmarks.
std::span<const Prefix> private_networks();

/// What the white list holds in this family: prefixes, addresses of endpoints and interfaces, and private networks if
/// the site wants them. Merged. Own virtual prefixes and those of peers are cut out, whoever named them: what is on the
/// list is never translated.
std::vector<AddressRange> white_ranges(const Site& site, const Facts& facts, Family family);

/// The virtual prefixes of this site and of its peers, merged.
std::vector<AddressRange> virtual_ranges(const Site& site, Family family);

} // namespace natctl
