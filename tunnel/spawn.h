// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <exception>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/co_spawn.hpp>
#include <spdlog/spdlog.h>

namespace natctl {

/// Starts a coroutine that nobody waits for. What it throws ends it alone.
inline void spawn(const asio::any_io_executor& executor, asio::awaitable<void> task) {
    asio::co_spawn(executor, std::move(task), [](const std::exception_ptr& failure) {
        if (!failure) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            spdlog::error("a flow was given up: {}", error.what());
        }
    });
}

} // namespace natctl
