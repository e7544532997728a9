// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <system_error>

#include <asio/experimental/as_tuple.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/use_awaitable.hpp>

#include "nftctl/base/address.h"
#include "nftctl/base/fd.h"

namespace natctl {

using asio::ip::tcp;

/// Completion token of our coroutines: `auto [error, n] = co_await ...`.
inline constexpr auto awaiting = asio::experimental::as_tuple(asio::use_awaitable);

asio::ip::address to_asio(const Address& address);
tcp::endpoint to_asio(const Endpoint& endpoint);
/// IPv4 addresses inside IPv6 ones come out as IPv4.
Endpoint from_asio(const tcp::endpoint& endpoint);

/// What every relayed socket has: no delay, and keepalive so that a peer that vanished is noticed.
void tune(tcp::socket& socket);

/// How long what was sent may stay unacknowledged before the connection counts as lost, and as tune() has it.
void give_up_after(tcp::socket& socket, std::chrono::steady_clock::duration silence);
void give_up_as_usual(tcp::socket& socket);

/// For sockets whose connections stay within the site: BBR, where it is the machine's default, is replaced by cubic. It
/// paces by a timer for each 64 KiB, which costs up to a third of the relay's time and earns nothing on short paths.
/// Works only before the connection is established; of a listening socket the accepted ones inherit it.
void avoid_pacing(int fd);

/// SO_MARK. Needs CAP_NET_ADMIN. A mark of 0 is left unset, which needs nothing.
std::error_code set_mark(tcp::socket& socket, std::uint32_t mark);

/// Closes with RST instead of FIN.
void reset(tcp::socket& socket);
/// Makes a later close() do so.
void reset_on_close(int fd);

/// Takes the descriptor out of asio. Empty when the socket is closed already.
Fd release(tcp::socket& socket);

} // namespace natctl
