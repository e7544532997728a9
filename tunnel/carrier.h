// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include "nftctl/base/address.h"
#include "nftctl/site/site.h"
#include "tunnel/address_set.h"

namespace natctl {

/// An own IPv6 prefix whose addresses carry real IPv4 addresses in their last 32 bits (RFC 6052, section 2.2). The
/// kernel has no NAT between the two families, so flows to it end in the tunnel and go on from there.
class Carrier {
public:
    explicit Carrier(const EmbeddingMap& map) : prefix_(map.virtual_prefix), reals_(map.real_prefixes) {}

    bool contains(const Address& address) const { return prefix_.contains(address); }
    /// The IPv4 address that `address`, of the prefix, carries. nullopt: it is outside the map's list, or loopback,
    /// link-local, multicast and the like, which no list opens.
    std::optional<Address> real_of(const Address& address) const;
    /// The address of the prefix that carries `real`; nullopt for those that real_of() would not give.
    std::optional<Address> name_of(const Address& real) const;

private:
    bool has(const Address& real) const;

    Prefix prefix_;
    AddressSet reals_;
};

} // namespace natctl
