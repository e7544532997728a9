// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/socket.h"

namespace natctl {

/// A client of the SOCKS5 listener at `listen`. Nothing is dialled before its source, credentials and destination have
/// been checked, and it is told of success only when the far end is connected.
asio::awaitable<void> serve_socks5(Context& context, tcp::socket client, Endpoint listen);

} // namespace natctl
