// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/connect.h"

namespace natctl {

asio::awaitable<std::error_code> connect(tcp::socket& socket, const Endpoint& to, std::uint32_t mark,
                                         Deadlines& deadlines, Deadlines::Clock::duration limit) {
    const tcp::endpoint endpoint = to_asio(to);
    std::error_code error;
    socket.open(endpoint.protocol(), error);
    if (error) co_return error;
    if ((error = set_mark(socket, mark))) co_return error;
    tune(socket);
    const Deadlines::Guard guard(deadlines, socket, limit);
    const auto [failure] = co_await socket.async_connect(endpoint, awaiting);
    if (guard.expired()) co_return std::make_error_code(std::errc::timed_out);
    co_return failure;
}

} // namespace natctl
