// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include <asio/awaitable.hpp>

#include "tunnel/deadlines.h"
#include "tunnel/settings.h"
#include "tunnel/socket.h"
#include "tunnel/socks5.h"

namespace natctl {

/// How a proxy answered.
struct ProxyAnswer {
    /// Its reply to our request; nullopt when it came to none.
    std::optional<socks5::ReplyMessage> reply;
    /// Why there is no reply, and what to look at.
    std::string cause;
    std::string remedy;
    /// The request was sent: the target may have been dialled, so asking another proxy could dial it twice.
    bool asked = false;
    /// What the target said together with the reply.
    socks5::Bytes early;
};

/// Speaks with the proxy behind `socket`, connected, up to the point where it would take a request. nullopt: it would.
asio::awaitable<std::optional<ProxyAnswer>> greet_proxy(tcp::socket& socket, const Proxy& proxy, Deadlines& deadlines,
                                                        const Timeouts& timeouts);

/// Asks the proxy behind `socket`, connected, for `command` with `destination`. Step by step: some servers read past a
/// greeting and lose what a client sends ahead.
asio::awaitable<ProxyAnswer> ask_proxy(tcp::socket& socket, const Proxy& proxy, socks5::Command command,
                                       const socks5::Destination& destination, Deadlines& deadlines,
                                       const Timeouts& timeouts);

} // namespace natctl
