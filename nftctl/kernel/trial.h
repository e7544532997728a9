// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include <sys/types.h>

namespace natctl {

inline constexpr std::chrono::seconds longest_trial = std::chrono::hours(24);

/// A configuration that is in the kernel until it is confirmed, or its time is up: STATE_DIR/trial.
struct Trial {
    /// Of CLOCK_BOOTTIME: it goes on while the machine sleeps, and nobody sets it.
    std::chrono::nanoseconds deadline{};
    /// /proc/sys/kernel/random/boot_id. After a restart the deadline means nothing.
    std::string boot = {};
    /// The process that waits for the deadline.
    pid_t watch = 0;

    bool operator==(const Trial&) const = default;
};

/// What stands in the record, and back. Text that is no record gives a Trial of no boot: one that is over.
std::string text_of(const Trial& trial);
Trial trial_of(const std::string& text);

/// Of this moment.
std::chrono::nanoseconds boot_clock();
std::string boot_id();

struct TrialState {
    /// Until the former state comes back by itself; 0: now, or at the restart that has been since.
    std::chrono::seconds left{};
    /// The machine was started again since: the kernel holds nothing of it any more.
    bool restarted = false;
};
TrialState state_of(const Trial& trial, std::chrono::nanoseconds now, const std::string& boot);

/// The places in a state directory.
struct StatePaths {
    explicit StatePaths(const std::string& state_dir);

    /// The last confirmed configuration. Without it nothing is.
    std::string applied;
    /// The one on trial, and the record of when that ends.
    std::string on_trial;
    std::string trial;
    /// The last one that was on trial and not confirmed.
    std::string refused;
};

/// nullopt when no trial is on. A record without a configuration is left from one that has ended.
std::optional<Trial> read_trial(const StatePaths& paths);

/// Starts the process that calls `when_over` at the deadline, and writes the record. It belongs to no terminal, session
/// or process group of the caller, ends as soon as the record is gone or another's, and repeats `when_over` every few
/// seconds while it throws. It holds a shared flock on RUN_DIR/trial.lock. The caller has one thread.
void start_trial(const std::string& run_dir, const StatePaths& paths, std::chrono::nanoseconds deadline,
                 const std::function<void()>& when_over);

/// Whether such a process is there.
bool trial_is_watched(const std::string& run_dir);

} // namespace natctl
