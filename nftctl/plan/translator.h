// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include "nftctl/plan/plan.h"

namespace natctl {

/// What a plan's table does to the addresses of one family, read from its sets and maps as the kernel would: a host's
/// entry first, then the prefix's. Nothing for a plan without a table. The plan must outlive it.
class Translator {
public:
    Translator(const Plan& plan, Family family);

    bool is_own(const Address& address) const { return contains(own_, address) || is_embedding(address); }
    /// One of our IPv6 names that carry an IPv4 address: the tunnel takes flows to them.
    bool is_embedding(const Address& address) const { return contains(embedding_, address); }
    bool is_peer(const Address& address) const { return contains(peer_, address); }

    /// Where a flow to one of our names is sent; nullopt: nobody has that name.
    std::optional<Address> real_of(const Address& name) const;
    /// The name of one of our hosts; nullopt: it has none.
    std::optional<Address> name_of(const Address& real) const;
    /// Under which address a flow that is not the tunnel's goes out to a peer; nullopt: it cannot.
    std::optional<Address> source_to_peer(const Address& source) const;

    /// The name under which sources without one go out; nullopt: they cannot.
    const std::optional<Address>& router() const { return router_; }

    /// Of connections that live on an interface link, and in the tunnel.
    std::optional<Mark> link_mark() const { return link_; }
    std::optional<Mark> tunnel_mark() const { return tunnel_; }

private:
    static bool contains(const nft::Set* set, const Address& address);

    Family family_;
    const nft::Set* own_ = nullptr;
    const nft::Set* embedding_ = nullptr;
    const nft::Set* peer_ = nullptr;
    const nft::Set* white_ = nullptr;
    const nft::Set* white_now_ = nullptr;
    const nft::Set* real_hosts_ = nullptr;
    const nft::Set* real_prefixes_ = nullptr;
    const nft::Set* name_hosts_ = nullptr;
    const nft::Set* name_prefixes_ = nullptr;
    std::optional<Address> router_;
    std::optional<Mark> link_;
    std::optional<Mark> tunnel_;
};

} // namespace natctl
