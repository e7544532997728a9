// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>

#include <asio/ip/tcp.hpp>

namespace natctl {

/// Ends the waiting on sockets that take too long: whoever waits on one then gets an error. One coarse tick serves all:
/// no timer of its own for each flow. Of one thread.
class Deadlines {
public:
    using Clock = std::chrono::steady_clock;

    /// Beyond `max_guards` the oldest one expires at once, so that a crowd of silent clients cannot keep out a good
    /// one.
    explicit Deadlines(std::size_t max_guards = std::numeric_limits<std::size_t>::max()) : max_guards_(max_guards) {}

    /// Watches a socket for as long as it lives. The socket must outlive it and stay where it is.
    class Guard {
    public:
        enum class Expiry : std::uint8_t {
            close,
            /// What the socket waits for fails, and it can still be written to. Ask expired() before it waits again.
            cancel,
        };

        Guard(Deadlines& deadlines, asio::ip::tcp::socket& socket, Clock::duration limit,
              Expiry expiry = Expiry::close);
        ~Guard();
        Guard(const Guard&) = delete;
        Guard& operator=(const Guard&) = delete;

        bool expired() const { return expired_; }

    private:
        friend class Deadlines;
        void expire();

        Deadlines& deadlines_;
        asio::ip::tcp::socket& socket_;
        Clock::time_point at_;
        Expiry expiry_;
        bool expired_ = false;
        std::list<Guard*>::iterator self_;
    };

    void tick(Clock::time_point now);
    std::size_t size() const { return guards_.size(); }

private:
    std::size_t max_guards_;
    /// Oldest first.
    std::list<Guard*> guards_;
};

} // namespace natctl
