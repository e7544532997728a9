// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Whose an address is, as this site knows it.
struct Whose {
    enum class Kind : std::uint8_t {
        nobodys,
        /// Inside an own virtual prefix.
        own_virtual,
        /// Inside the real prefix of a map: a host of this site.
        own_real,
        /// Inside a peer's virtual prefix.
        peers,
    };
    Kind kind = Kind::nobodys;
    /// Of a peer's.
    const Peer* peer = nullptr;
    std::optional<Prefix> prefix = {};
    /// Own: the real address. Absent where a virtual one leads to nobody.
    std::optional<Address> real = {};
    /// Own: every virtual address that leads to the real one. The first is the one under which peers see its host,
    /// unless seen_as_router.
    std::vector<Address> virtuals = {};
    /// No map gives the host a virtual address of its own: peers see the router's.
    bool seen_as_router = false;
    /// A peer's /96: the IPv4 address that it carries, which is real there.
    std::optional<Address> embedded = {};
    /// Of a host map; else empty.
    std::string name = {};
};

/// "own virtual", "own real", "peer", "nobody"
const char* name_of(Whose::Kind kind);

Whose whose(const Site& site, const Address& address);

/// The host map of that name, also written NAME.SITE; nullptr: this site has no such name.
const Map* find_name(const Site& site, const std::string& name);

/// As Address::text(); of a /96 that this site or a peer has, with the last 32 bits as an IPv4 address (RFC 6052,
/// section 2.2): 64:ff9b:2222::192.168.1.20.
std::string address_text(const Site& site, const Address& address);

} // namespace natctl
