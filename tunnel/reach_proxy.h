// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/socket.h"
#include "tunnel/socks5_client.h"

namespace natctl {

/// Asks the proxy for `command` with `destination`: on a warm connection when there is one, otherwise on a new one,
/// in as few round trips as the proxy bears. `socket`, which is new, is the connection afterwards; to close it is to
/// give up. `is_last`: there is no other proxy to try, so it has more time.
asio::awaitable<ProxyAnswer> ask_proxy_at(Context& context, const Settings& settings, tcp::socket& socket,
                                          const Proxy& proxy, bool is_last, socks5::Command command,
                                          const socks5::Destination& destination);

/// Connects `socket`, which is new, and greets: what flows do before they ask. False when that failed.
asio::awaitable<bool> greet_proxy_at(Context& context, const Settings& settings, tcp::socket& socket,
                                     const Proxy& proxy);

/// Finds out whether the proxy takes requests that are sent ahead.
asio::awaitable<void> try_manners(Context& context, const Settings& settings, const Proxy& proxy);

} // namespace natctl
