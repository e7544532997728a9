// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/base/fd.h"

namespace natctl {

enum class ListenerKind : std::uint8_t {
    transparent,
    /// UDP on the same address and port.
    transparent_udp,
    /// For REDIRECT.
    redirected,
    /// Which protocol its clients speak is up to the settings, so that a reload can change it in place.
    proxy,
};

struct ListenerAddress {
    ListenerKind kind;
    Endpoint endpoint;
    auto operator<=>(const ListenerAddress&) const = default;
};

struct ListenSocket {
    ListenerAddress address;
    Fd fd;
};

/// `count` listening (or UDP) sockets for one address, among which the kernel spreads the connections (SO_REUSEPORT).
/// Throws SystemError: EADDRINUSE also when an older process of the same user listens there the same way.
std::vector<ListenSocket> open_listeners(const ListenerAddress& address, std::size_t count);

} // namespace natctl
