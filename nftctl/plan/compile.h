// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/plan/identity.h"
#include "nftctl/plan/map_parts.h"
#include "nftctl/plan/plan.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What the kernel should hold for this site on this machine now.
Plan compile(const Site& site, const Facts& facts);

/// The same for one site again and again, at the cost of what the facts decide. The site must outlive it.
class Compiler {
public:
    explicit Compiler(const Site& site) : site_(site), maps_(site) {}

    Plan compile(const Facts& facts) const;
    const Site& site() const { return site_; }
    const MapParts& maps() const { return maps_; }

private:
    const nft::SharedList<nft::Chain>& chains(const Facts& facts) const;

    const Site& site_;
    MapParts maps_;
    // What was made last. Most facts that change leave the rules as they are.
    mutable std::optional<Facts> facts_of_chains_;
    mutable nft::SharedList<nft::Chain> chains_;
    mutable IdentityMaker identity_;
};

/// Whether new flows can take that link of the peer now. An interface must be there and up; a proxy is taken at its
/// word.
bool is_usable(const Peer& peer, std::size_t place, const Facts& facts);
/// The first of them; nullptr when there is none.
const Link* usable_link(const Peer& peer, const Facts& facts);

/// What the plan cannot do on this machine as it is, each with the way out. For people.
std::vector<std::string> advice(const Site& site, const Facts& facts);

/// The router's own LAN address under its virtual name: the source of what has no name of its own.
std::optional<Address> router_virtual(const Site& site, const MapParts& maps, const Facts& facts, Family family);

// The parts of compile().
std::vector<nft::Set> compile_sets(const Site& site, const MapParts& maps, const Facts& facts);
std::vector<nft::Chain> compile_chains(const Site& site, const MapParts& maps, const Facts& facts);
std::vector<PolicyRule> compile_rules(const Site& site, const MapParts& maps);
std::vector<Route> compile_routes(const Site& site, const MapParts& maps, const Facts& facts);

/// Names of all link interfaces, each once.
std::vector<std::string> link_interfaces(const Site& site);

} // namespace natctl
