// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <random>
#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/site/site.h"

namespace natctl::test {

/// A site that `natctl check` accepts, out of everything that the plan depends on: nested maps, hosts, both families,
/// /96 prefixes, peers with several links, white list, intercept, helpers, marks. It names the interfaces lan0, lan1,
/// ov0, wg0, and wg9; all but the last are meant to exist. The same numbers give the same site on every machine.
Site random_site(std::mt19937& random);

/// The site after an edit of one part of it.
Site random_edit(Site site, std::mt19937& random);

/// Additions to the white list at run time, overlapping and touching ones, some of which end after hours.
std::vector<RunTimeEntry> random_entries(std::mt19937& random);

/// Of the endpoint that random sites have on their white lists.
inline constexpr const char* random_endpoint = "proxy.example.net";

} // namespace natctl::test
