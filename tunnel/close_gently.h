// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/socket.h"

namespace natctl {

/// Says FIN and reads until the client does so too, for as long as a handshake may take: a close with unread bytes
/// would send RST, which can overtake our last words.
asio::awaitable<void> close_gently(Context& context, const Settings& settings, tcp::socket& client);

} // namespace natctl
