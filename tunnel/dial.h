// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <string>
#include <variant>

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/socket.h"
#include "tunnel/socks5.h"

namespace natctl {

/// The far end of a flow, connected.
struct Dialed {
    tcp::socket socket;
    /// The address the target sees, as far as that is known; 0.0.0.0:0 when the proxy's success is a formality.
    Endpoint bound;
    /// Proxies that answer before they dial (v2ray, Xray) give port 0 or their own.
    bool success_is_formal = false;
    /// Bytes the target has sent already.
    socks5::Bytes early;
    std::shared_ptr<const std::string> link;
};

struct DialFailure {
    /// What a SOCKS5 client is told.
    socks5::Reply reply;
    std::string cause;
    std::string remedy;
    std::string link;
};

using DialResult = std::variant<Dialed, DialFailure>;

/// Connects to the address itself; the kernel translates.
asio::awaitable<DialResult> dial_direct(Context& context, const Settings& settings, Endpoint target);

/// Asks the peer's proxies in_order(). The next one is tried only while the former was not reached or did
/// not let us ask.
asio::awaitable<DialResult> dial_peer(Context& context, const Settings& settings, const PeerProxies& peer,
                                      socks5::Destination target);

} // namespace natctl
