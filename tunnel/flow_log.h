// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "nftctl/base/address.h"
#include "tunnel/status.h"

namespace natctl {

/// A budget of lines: `per_second` on average, up to `burst` at once. Time is the caller's.
class RateLimit {
public:
    using Clock = std::chrono::steady_clock;

    RateLimit(double per_second, double burst) : per_second_(per_second), burst_(burst), tokens_(burst) {}

    bool allow(Clock::time_point now);

private:
    double per_second_;
    double burst_;
    double tokens_;
    Clock::time_point last_{};
};

/// One line for each flow that failed, shared by all threads. A flood of failures becomes a number.
class FlowLog {
public:
    /// `to` and `link` as the user knows them, "" when unknown. `cause` says what happened, `remedy` what to look at.
    void failed(const Endpoint& from, const std::string& to, const std::string& link, const std::string& cause,
                const std::string& remedy);

    /// All there have been, also those that were not logged one by one.
    std::vector<FailureCount> failures() const;

private:
    /// Causes are few; where they are not, the rest is one kind.
    static constexpr std::size_t most_kinds = 256;

    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::uint64_t> kinds_;
    RateLimit limit_{5, 20};
    std::uint64_t suppressed_ = 0;
};

} // namespace natctl
