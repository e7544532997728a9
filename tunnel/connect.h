// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include <asio/awaitable.hpp>

#include "tunnel/deadlines.h"
#include "tunnel/socket.h"

namespace natctl {

/// Whether the connection stays within the site (or the machine) or may be a long way.
enum class Path : std::uint8_t { near, far };

/// Connects `socket`, which is new, with SO_MARK `mark` (0: none), so that our own packets are not intercepted again.
/// ETIMEDOUT after `limit`.
asio::awaitable<std::error_code> connect(tcp::socket& socket, const Endpoint& to, Path path, std::uint32_t mark,
                                         Deadlines& deadlines, Deadlines::Clock::duration limit);

/// What to look at when it failed; `refused` is for ECONNREFUSED.
std::string connect_remedy(const std::error_code& error, const char* refused);

} // namespace natctl
