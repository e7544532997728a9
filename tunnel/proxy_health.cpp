// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/proxy_health.h"

#include <algorithm>
#include <utility>

namespace natctl {

bool ProxyHealth::answered(Clock::time_point now) {
    const std::scoped_lock lock(mutex_);
    next_probe_ = now + rest;
    if (up_) return false;
    up_ = true;
    since_ = now;
    cause_.clear();
    pause_ = first_pause;
    return true;
}

bool ProxyHealth::failed(Clock::time_point now, std::string cause) {
    const std::scoped_lock lock(mutex_);
    cause_ = std::move(cause);
    if (!up_) return false;
    up_ = false;
    manners.forget();
    since_ = now;
    next_probe_ = now + pause_;
    return true;
}

bool ProxyHealth::begin_probe(Clock::time_point now) {
    const std::scoped_lock lock(mutex_);
    if (now < next_probe_) return false;
    if (up_) {
        next_probe_ = now + rest;
    } else {
        pause_ = std::min(2 * pause_, last_pause);
        next_probe_ = now + pause_;
    }
    return true;
}

std::optional<ProxyHealth::Clock::time_point> ProxyHealth::last_flow() const {
    const auto last = last_flow_.load(std::memory_order_relaxed);
    return last == Clock::time_point::min() ? std::nullopt : std::optional(last);
}

ProxyHealth::State ProxyHealth::state() const {
    const std::scoped_lock lock(mutex_);
    return {up_, since_, cause_};
}

} // namespace natctl
