// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <sys/epoll.h>

#include "nftctl/base/address.h"
#include "nftctl/base/fd.h"

namespace natctl::bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// epoll, level-triggered. What is registered comes back as the number it was given.
class Poller {
public:
    Poller();

    void add(int fd, std::uint32_t events, std::uint64_t number);
    void change(int fd, std::uint32_t events, std::uint64_t number);
    /// Up to 256 events, or none after `patience`.
    std::span<const epoll_event> wait(std::chrono::milliseconds patience);

private:
    Fd fd_;
    std::vector<epoll_event> events_{256};
};

/// Non-blocking, without delay. `events` of the first wait are EPOLLOUT when it is connected.
Fd start_connecting(const Endpoint& to);
/// Listens on every IPv4 address.
Fd listen_on(std::uint16_t port);
/// errno of a connection that was being made; 0: it stands.
int connect_error(int fd);
/// Raises the soft limit of open files to the hard one.
void take_all_descriptors();

} // namespace natctl::bench
