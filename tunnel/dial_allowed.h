// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <asio/awaitable.hpp>

#include "tunnel/context.h"
#include "tunnel/dial.h"

namespace natctl {

/// Connects a client of the listener to where it wants to go, if it may: to the address itself, by a peer's proxy, or
/// by the addresses of a name.
asio::awaitable<DialResult> dial_allowed(Context& context, const Settings& settings, const Listener& listener,
                                         const socks5::Destination& wanted);

} // namespace natctl
