// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/socket/socket_address.h"

#include <algorithm>
#include <cstring>

namespace natctl {

SocketAddress::SocketAddress(const Endpoint& endpoint) {
    if (endpoint.address.family() == Family::ipv6) {
        storage_.sin6_family = AF_INET6;
        storage_.sin6_port = htons(endpoint.port);
        std::ranges::copy(endpoint.address.bytes(), storage_.sin6_addr.s6_addr);
        size_ = sizeof storage_;
        return;
    }
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    v4.sin_addr.s_addr = htonl(endpoint.address.v4_value());
    std::memcpy(&storage_, &v4, sizeof v4);
    size_ = sizeof v4;
}

bool SocketAddress::operator==(const SocketAddress& other) const {
    return size_ == other.size_ && std::memcmp(&storage_, &other.storage_, size_) == 0;
}

Endpoint endpoint_of(const sockaddr* address) {
    if (address->sa_family == AF_INET6) {
        sockaddr_in6 v6;
        std::memcpy(&v6, address, sizeof v6);
        return {Address::from_bytes(Family::ipv6, v6.sin6_addr.s6_addr).unmapped(), ntohs(v6.sin6_port)};
    }
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    return {Address::v4(ntohl(v4.sin_addr.s_addr)), ntohs(v4.sin_port)};
}

} // namespace natctl
