// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "nftctl/site/site.h"
#include "tunnel/address_set.h"
#include "tunnel/directory.h"
#include "tunnel/socks5.h"

namespace natctl {

/// What to do about a destination that a client of a proxy listener asked for.
struct Decision {
    enum class Kind {
        refuse,
        /// Connect to `destination`, an address.
        direct,
        /// Ask one of `peer`'s links for `destination`.
        peer,
        /// Look up the name, then decide about each address.
        resolve,
    };

    Kind kind = Kind::refuse;
    socks5::Destination destination = {};
    /// Index into the site's peers.
    std::size_t peer = 0;
};

/// Who may use one listener, and where to. Knows nothing of passwords: those come on top.
class Access {
public:
    Access(std::shared_ptr<const Directory> directory, const ProxyListener& listener);

    /// Asked before a byte is read. A listener that neither lists sources nor has credentials admits nobody unless it
    /// is on loopback.
    bool admits(const Address& source) const;

    /// IPv4 addresses inside IPv6 ones are unwrapped first, and names that are addresses count as such. Loopback,
    /// link-local, multicast and the like are refused unless the configuration names them: a wide prefix that covers
    /// them is not enough. The own listeners and port 0 are always refused.
    Decision decide(const socks5::Destination& destination) const;

    /// For datagrams to a client: the address under which it knows the one that sends from `source`. nullopt: it has
    /// nothing to say here.
    std::optional<Address> name_of_source(const Address& source) const;

private:
    Decision decide_address(const Endpoint& endpoint) const;
    Decision decide_name(const std::string& name, std::uint16_t port) const;
    bool is_reachable(const Address& address) const;

    std::shared_ptr<const Directory> directory_;
    AddressSet sources_;
    bool admits_all_;
    bool on_loopback_;
    bool has_destinations_;
    /// `to` alone, and `to` with the own virtual prefixes.
    AddressSet destinations_;
    AddressSet reachable_;
    /// Those prefixes of reachable_ that lie within a special range themselves.
    AddressSet named_special_;
};

} // namespace natctl
