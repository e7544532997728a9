// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/socket.h"

namespace natctl {

/// A flow that the kernel handed to our transparent listener (TPROXY): the local address of the socket is where the
/// client wanted to go. Passes it to the peer that has the address or to the proxy of [intercept], or resets it.
asio::awaitable<void> serve_transparent(Context& context, tcp::socket client);

/// The same for a flow that came by REDIRECT: the kernel remembers where the client wanted to go.
asio::awaitable<void> serve_redirected(Context& context, tcp::socket client);

} // namespace natctl
