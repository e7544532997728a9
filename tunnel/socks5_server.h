// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/proxy_listener.h"

namespace natctl {

/// A client that speaks SOCKS5. Nothing is dialled before its credentials and destination have been checked, and it is
/// told of success only when the far end is connected.
asio::awaitable<void> serve_socks5(Context& context, ProxyClient client);

} // namespace natctl
