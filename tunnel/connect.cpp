// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/connect.h"

namespace natctl {

asio::awaitable<std::error_code> connect(tcp::socket& socket, const Endpoint& to, Path path, std::uint32_t mark,
                                         Deadlines& deadlines, Deadlines::Clock::duration limit) {
    const tcp::endpoint endpoint = to_asio(to);
    std::error_code error;
    socket.open(endpoint.protocol(), error);
    if (error) co_return std::error_code(error.value(), std::system_category());
    if ((error = set_mark(socket, mark))) co_return error;
    tune(socket);
    if (path == Path::near) avoid_pacing(socket.native_handle());
    const Deadlines::Guard guard(deadlines, socket, limit);
    const auto [failure] = co_await socket.async_connect(endpoint, awaiting);
    if (guard.expired()) co_return std::make_error_code(std::errc::timed_out);
    // asio's own category knows fewer causes than the system's.
    co_return std::error_code(failure.value(), std::system_category());
}

std::string connect_remedy(const std::error_code& error, const char* refused) {
    if (error == std::errc::connection_refused) return refused;
    if (error == std::errc::operation_not_permitted) return "the tunnel needs root or CAP_NET_ADMIN";
    if (error == std::errc::too_many_files_open) return "raise the limit of open files (LimitNOFILE)";
    return "";
}

} // namespace natctl
