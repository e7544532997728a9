// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/close_gently.h"

#include <array>
#include <cstdint>

#include <asio/buffer.hpp>

namespace natctl {

asio::awaitable<void> close_gently(Context& context, const Settings& settings, tcp::socket& client) {
    const Deadlines::Guard guard(context.strangers, client, settings.timeouts.handshake);
    std::error_code error;
    client.shutdown(tcp::socket::shutdown_send, error);
    std::array<std::uint8_t, 512> scrap;
    while (!error) {
        const auto [failure, count] = co_await client.async_read_some(asio::buffer(scrap), awaiting);
        static_cast<void>(count);
        error = failure;
    }
}

} // namespace natctl
