// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/deadlines.h"

#include <optional>

#include <asio/io_context.hpp>
#include <doctest/doctest.h>

#include "tunnel/flow_log.h"

using namespace natctl;
using asio::ip::tcp;
using std::chrono::seconds;

namespace {

struct Sockets {
    asio::io_context io;
    tcp::socket first{io, tcp::v4()};
    tcp::socket second{io, tcp::v4()};
    tcp::socket third{io, tcp::v4()};
};

} // namespace

TEST_CASE("a socket is closed when its time is over, and not when the guard is gone") {
    Sockets sockets;
    Deadlines deadlines;
    const auto now = Deadlines::Clock::now();
    const Deadlines::Guard guard(deadlines, sockets.first, seconds(10));
    std::optional<Deadlines::Guard> released(std::in_place, deadlines, sockets.second, seconds(10));
    deadlines.tick(now + seconds(9));
    CHECK(sockets.first.is_open());
    CHECK(!guard.expired());
    released.reset();
    deadlines.tick(now + seconds(11));
    CHECK(!sockets.first.is_open());
    CHECK(guard.expired());
    CHECK(sockets.second.is_open());
    CHECK(deadlines.size() == 1);
}

TEST_CASE("beyond its number of guards the oldest makes room") {
    Sockets sockets;
    Deadlines deadlines(2);
    const Deadlines::Guard first(deadlines, sockets.first, seconds(10));
    const Deadlines::Guard second(deadlines, sockets.second, seconds(10));
    CHECK(sockets.first.is_open());
    const Deadlines::Guard third(deadlines, sockets.third, seconds(10));
    CHECK(!sockets.first.is_open());
    CHECK(sockets.second.is_open());
    CHECK(sockets.third.is_open());
}

TEST_CASE("lines are limited on average, with bursts") {
    RateLimit limit(5, 20);
    const auto start = RateLimit::Clock::now();
    const auto allowed = [&](RateLimit::Clock::time_point now, int attempts) {
        int count = 0;
        for (int i = 0; i < attempts; ++i) count += limit.allow(now);
        return count;
    };
    CHECK(allowed(start, 1000) == 20);
    CHECK(allowed(start + seconds(1), 1000) == 5);
    CHECK(allowed(start + seconds(2), 3) == 3);
    CHECK(allowed(start + seconds(3), 1000) == 7);
    CHECK(allowed(start + seconds(1000), 1000) == 20);
}
