// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/socket.h"
#include "tunnel/socks5_client.h"

namespace natctl {

/// Why a proxy could not be asked, and what to look at.
struct ProxyFailure {
    std::string cause;
    std::string remedy;
};

/// Connects `socket`, which is new, to the proxy. `is_last`: there is no other one to try, so it has more time.
asio::awaitable<std::optional<ProxyFailure>> reach_proxy(Context& context, const Settings& settings,
                                                         tcp::socket& socket, const Proxy& proxy, bool is_last);

/// ask_proxy() of one that is connected.
asio::awaitable<ProxyAnswer> ask_reached_proxy(Context& context, const Settings& settings, tcp::socket& socket,
                                               const Proxy& proxy, socks5::Command command,
                                               const socks5::Destination& destination);

/// Only asks whether it answers.
asio::awaitable<void> probe_proxy(Context& context, const Settings& settings, const Proxy& proxy);

} // namespace natctl
