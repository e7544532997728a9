// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

#include <sys/epoll.h>

#include "nftctl/base/error.h"

namespace natctl {

namespace {

/// Milliseconds for epoll_wait(2), rounded up: before its time nothing is to be done yet.
int left(Loop::Clock::time_point until) {
    const auto time = std::chrono::ceil<std::chrono::milliseconds>(until - Loop::Clock::now());
    constexpr std::chrono::milliseconds longest = std::chrono::hours(1);
    return static_cast<int>(std::clamp(time, std::chrono::milliseconds(0), longest).count());
}

} // namespace

Loop::Loop() : epoll_(check(::epoll_create1(EPOLL_CLOEXEC), "create", "an epoll set")) {}

void Loop::watch(int fd, std::uint32_t events, Ready ready) {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    const int operation = ready_.contains(fd) ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    check(::epoll_ctl(epoll_.get(), operation, fd, &event), "watch", "a descriptor");
    ready_[fd] = std::move(ready);
}

void Loop::forget(int fd) {
    if (ready_.erase(fd) != 0) ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

void Loop::wait(Clock::time_point until) {
    std::array<epoll_event, 64> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), left(until));
    if (count < 0 && errno != EINTR) throw_errno("wait for", "events");
    for (const auto& event : std::span(events).first(static_cast<std::size_t>(std::max(count, 0)))) {
        // One that was ready before may have made it go.
        const auto found = ready_.find(event.data.fd);
        if (found == ready_.end()) continue;
        // It may forget itself.
        const Ready ready = found->second;
        ready(event.events);
    }
}

} // namespace natctl
