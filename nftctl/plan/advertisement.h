// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What router advertisements (RFC 4861, RFC 4191) tell the hosts of one LAN.
struct Advertisement {
    std::string interface;
    /// Of 64 bits, as hosts make their addresses from them (RFC 4862, section 5.5.3); those that the router has an
    /// address in.
    std::vector<Prefix> prefixes;
};

/// One for each LAN interface that exists, in the order of site.toml.
std::vector<Advertisement> advertisements(const Site& site, const Facts& facts);

/// The peers' IPv6 prefixes: what hosts need routes to.
std::vector<Prefix> advertised_routes(const Site& site);

/// An address for the router in a network of a LAN's own (RFC 4193): always the same one for a site and an interface,
/// and hardly that of another.
InterfaceAddress unique_local_address(const Site& site, const std::string& interface);

/// For radvd(8). The router becomes nobody's default router. Without `prefixes` only the routes are advertised, for
/// LANs that get their addresses from elsewhere; LANs that have no prefix are left out otherwise.
std::string radvd_configuration(const Site& site, const Facts& facts, bool prefixes);

} // namespace natctl
