// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace natctl {

/// The side of a service that its manager sees (sd_notify(3), sd_watchdog_enabled(3)). Where there is none, nothing
/// happens.
class ServiceManager {
public:
    using Time = std::chrono::steady_clock::time_point;

    /// From the environment, which is left without it: no child is to speak in our name.
    explicit ServiceManager(Time now);

    /// "READY=1", "STATUS=...", "STOPPING=1". Failures are of no concern.
    void tell(const std::string& state) const;

    /// When to call tend() next; Time::max(): never.
    Time due() const { return due_; }
    /// Says that the program is alive, when that is due, and if it is.
    void tend(Time now, bool alive = true);

private:
    std::string socket_;
    /// Half of what the manager waits for.
    std::optional<std::chrono::microseconds> interval_;
    Time due_ = Time::max();
};

} // namespace natctl
