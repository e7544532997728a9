// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/socket.h"

namespace natctl {

/// A client of a proxy listener, whose source may connect.
struct ProxyClient {
    tcp::socket socket;
    Endpoint source;
    std::shared_ptr<const Settings> settings;
    /// Of the settings.
    const Listener* listener;
};

/// Whoever connects to the listener at `listen`, in the protocol that it has now.
asio::awaitable<void> serve_proxy(Context& context, tcp::socket client, Endpoint listen);

} // namespace natctl
