// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "tunnel/proxy_manners.h"

namespace natctl {

/// Whether a proxy answers, as flows and probes have found. What becomes of a flow behind it says nothing: a target
/// that refuses is no proxy's fault. For all threads.
class ProxyHealth {
public:
    using Clock = std::chrono::steady_clock;

    /// Pauses between probes of a proxy that is down: doubled from the first to the last.
    static constexpr Clock::duration first_pause = std::chrono::seconds(1);
    static constexpr Clock::duration last_pause = std::chrono::seconds(16);
    /// Between probes of one that answers, and between the last flow that it served and the next probe.
    static constexpr Clock::duration rest = std::chrono::seconds(10);

    /// Until something is known it is thought to answer.
    explicit ProxyHealth(Clock::time_point now) : since_(now), next_probe_(now + rest) {}

    bool is_up() const { return up_.load(std::memory_order_relaxed); }

    /// It let us ask. Returns whether it had been down.
    bool answered(Clock::time_point now);
    /// It was not reached, or did not let us ask. Returns whether it had been up.
    bool failed(Clock::time_point now, std::string cause);

    /// Whether it is time for a probe, which then counts as begun.
    bool begin_probe(Clock::time_point now);

    struct State {
        bool up;
        /// Since when; of what was always up, since the beginning.
        Clock::time_point since;
        /// Of the last failure, while it is down.
        std::string cause;
    };
    State state() const;

    /// When a flow last came for it, to any thread; nullopt: never.
    std::optional<Clock::time_point> last_flow() const;
    void flow_came(Clock::time_point now) { last_flow_.store(now, std::memory_order_relaxed); }

    /// Forgotten when it goes down.
    ProxyManners manners;

private:
    std::atomic<bool> up_ = true;
    std::atomic<Clock::time_point> last_flow_{Clock::time_point::min()};

    mutable std::mutex mutex_;
    Clock::time_point since_;
    std::string cause_;
    Clock::duration pause_ = first_pause;
    Clock::time_point next_probe_;
};

} // namespace natctl
