// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "nftctl/socket/socket_address.h"
#include "tunnel_sockets.h"

namespace natctl::test {

/// A plain UDP socket on loopback. Nothing waits longer than `patience`.
class UdpSocket {
public:
    /// On a free port of a fresh address.
    UdpSocket() : UdpSocket(Endpoint{fresh_address(), 0}) {}
    explicit UdpSocket(const Endpoint& local) : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        const SocketAddress address(local);
        REQUIRE(::bind(fd_.get(), address.data(), address.size()) == 0);
        sockaddr_in6 bound{};
        socklen_t size = sizeof bound;
        ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&bound), &size);
        endpoint_ = endpoint_of(reinterpret_cast<const sockaddr*>(&bound));
    }

    const Endpoint& endpoint() const { return endpoint_; }

    void send(const Endpoint& to, std::string_view bytes) const {
        const SocketAddress address(to);
        const ssize_t sent = ::sendto(fd_.get(), bytes.data(), bytes.size(), 0, address.data(), address.size());
        CHECK(sent == static_cast<ssize_t>(bytes.size()));
    }

    struct Datagram {
        Endpoint from;
        std::string bytes;
        bool operator==(const Datagram&) const = default;
    };

    /// nullopt when nothing comes.
    std::optional<Datagram> receive(std::chrono::milliseconds time = patience) const {
        pollfd waiting{fd_.get(), POLLIN, 0};
        if (::poll(&waiting, 1, static_cast<int>(time.count())) <= 0) return std::nullopt;
        std::string bytes(65536, '\0');
        sockaddr_in6 from{};
        socklen_t size = sizeof from;
        const ssize_t got =
            ::recvfrom(fd_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0) return std::nullopt;
        bytes.resize(static_cast<std::size_t>(got));
        return Datagram{endpoint_of(reinterpret_cast<const sockaddr*>(&from)), bytes};
    }

private:
    Fd fd_;
    Endpoint endpoint_;
};

} // namespace natctl::test
