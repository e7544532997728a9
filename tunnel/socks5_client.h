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
    /// It was connected to.
    bool reached = true;
    /// The connection ended before a byte of an answer had come, or the proxy did not bear how it was asked: on a new
    /// connection, step by step, it may work.
    bool worth_a_retry = false;
    /// Nobody wants it any more: the socket was closed by its owner. It says nothing about the proxy.
    bool given_up = false;
};

/// Speaks with the proxy behind `socket`, connected, up to the point where it would take a request. nullopt: it would.
asio::awaitable<std::optional<ProxyAnswer>> greet_proxy(tcp::socket& socket, const Proxy& proxy, Deadlines& deadlines,
                                                        const Timeouts& timeouts);

/// Asks a proxy that is greeted for `command` with `destination`.
asio::awaitable<ProxyAnswer> ask_greeted_proxy(tcp::socket& socket, socks5::Command command,
                                               const socks5::Destination& destination, Deadlines& deadlines,
                                               const Timeouts& timeouts);

/// Greets it and asks it, step by step: some servers read past a greeting and lose what a client sends ahead.
asio::awaitable<ProxyAnswer> ask_proxy(tcp::socket& socket, const Proxy& proxy, socks5::Command command,
                                       const socks5::Destination& destination, Deadlines& deadlines,
                                       const Timeouts& timeouts);

/// The same in one round trip, for proxies that are known to bear it.
asio::awaitable<ProxyAnswer> ask_proxy_ahead(tcp::socket& socket, const Proxy& proxy, socks5::Command command,
                                             const socks5::Destination& destination, Deadlines& deadlines,
                                             const Timeouts& timeouts);

/// Whether it does: sends greeting, password and a request that every server refuses, all at once. Without an answer
/// to the request it does not.
asio::awaitable<bool> takes_requests_ahead(tcp::socket& socket, const Proxy& proxy, Deadlines& deadlines,
                                           const Timeouts& timeouts);

} // namespace natctl
