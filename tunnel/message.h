// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <system_error>

#include <asio/awaitable.hpp>
#include <asio/buffer.hpp>
#include <asio/write.hpp>

#include "tunnel/socket.h"
#include "tunnel/socks5.h"

namespace natctl {

/// A message as it was read, or why not: EBADMSG when it was none.
template <class T>
struct Received {
    std::optional<T> message;
    std::error_code error;
};

/// Reads until `parse` is satisfied. `bytes` holds what came and was not used yet, before and after.
template <class T>
asio::awaitable<Received<T>> receive(tcp::socket& socket, socks5::Bytes& bytes,
                                     socks5::Parsed<T> (*parse)(socks5::View)) {
    while (true) {
        const auto parsed = parse(bytes);
        if (parsed.is_malformed()) co_return Received<T>{std::nullopt, std::make_error_code(std::errc::bad_message)};
        if (parsed.done()) {
            bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(parsed.used()));
            co_return Received<T>{parsed.value(), {}};
        }
        constexpr std::size_t step = 512;
        const std::size_t had = bytes.size();
        bytes.resize(had + step);
        const auto [error, count] = co_await socket.async_read_some(asio::buffer(bytes.data() + had, step), awaiting);
        bytes.resize(had + count);
        if (error) co_return Received<T>{std::nullopt, error};
    }
}

/// Writes all of it.
template <class Bytes>
asio::awaitable<std::error_code> send(tcp::socket& socket, const Bytes& bytes) {
    const auto [error, count] = co_await asio::async_write(socket, asio::buffer(bytes), awaiting);
    static_cast<void>(count);
    co_return error;
}

} // namespace natctl
