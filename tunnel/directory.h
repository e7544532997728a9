// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nftctl/site/site.h"
#include "tunnel/address_set.h"
#include "tunnel/carrier.h"
#include "tunnel/route_table.h"

namespace natctl {

/// What the site knows by address and by name: its own hosts, its peers, and the tunnel's own listeners.
class Directory {
public:
    Directory() = default;
    explicit Directory(const Site& site);

    bool is_own(const Address& address) const { return own_.contains(address); }
    const std::vector<Prefix>& own_prefixes() const { return own_prefixes_; }

    /// The address under which peers know the one at `real`, as the kernel translates sources: the longest real prefix
    /// wins, and a real address whose virtual one was given to another host has none.
    std::optional<Address> virtual_of(const Address& real) const;

    /// Index into the site's peers.
    std::optional<std::size_t> peer_of(const Address& address) const { return routes_.find(address); }

    /// Where a flow goes that the kernel handed over: to a peer, or by the proxy of [intercept], whose index comes
    /// after those of the peers.
    std::optional<std::size_t> route_of(const Address& address) const;

    /// The virtual address of the host map called `name` or `name.SITE`. Names are compared without case.
    std::optional<Address> own_host(std::string_view name) const;

    /// `name.PEER` in two: the name at the peer, and the peer.
    std::optional<std::pair<std::string, std::size_t>> peer_host(std::string_view name) const;

    /// The own prefix that the address lies in, if that one carries IPv4 addresses.
    const Carrier* carrier_of(const Address& address) const;
    /// The host behind such an address; nullopt: the map does not list it.
    std::optional<Address> carried_host(const Address& address) const;
    /// Where a flow to such an address really goes. nullopt: to no host of the map's list, or back to the tunnel.
    std::optional<Endpoint> carried_endpoint(const Endpoint& endpoint) const;

    /// Whether a connection to it would come back to a listener of the tunnel, also through the site's own maps.
    bool is_own_listener(const Endpoint& endpoint) const;

private:
    std::vector<Prefix> own_prefixes_;
    AddressSet own_;
    /// One-to-one, the longest first.
    std::vector<std::pair<Prefix, Prefix>> real_to_virtual_;
    std::vector<Carrier> carriers_;
    RouteTable routes_;
    /// When there is [intercept].
    std::optional<std::size_t> internet_;
    std::string site_;
    std::map<std::string, Address, std::less<>> hosts_;
    std::map<std::string, std::size_t, std::less<>> peers_;
    std::set<Endpoint> listeners_;
    /// Of listeners on every address: any own host may be this machine.
    std::set<std::uint16_t> listener_ports_;
};

} // namespace natctl
