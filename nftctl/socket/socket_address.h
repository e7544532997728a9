// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include <netinet/in.h>
#include <sys/socket.h>

#include "nftctl/base/address.h"

namespace natctl {

/// AF_INET or AF_INET6; netlink has 8 bits for it.
constexpr std::uint8_t address_family(Family family) { return family == Family::ipv4 ? AF_INET : AF_INET6; }

/// An endpoint as the system calls want it.
class SocketAddress {
public:
    SocketAddress() = default;
    explicit SocketAddress(const Endpoint& endpoint);

    const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const { return size_; }
    bool operator==(const SocketAddress& other) const;

private:
    sockaddr_in6 storage_{};
    socklen_t size_ = 0;
};

/// Of a sockaddr_in or sockaddr_in6. IPv4 addresses inside IPv6 ones come out as IPv4.
Endpoint endpoint_of(const sockaddr* address);

} // namespace natctl
