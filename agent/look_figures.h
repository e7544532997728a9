// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace natctl {

/// How long looks at the kernel took.
struct LookFigures {
    /// Seconds; upper bounds, the last class has none.
    static constexpr std::array<double, 13> bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                   0.25,  0.5,    1,     2.5,  5,     10};

    /// Those that took no longer than bounds[i], and longer than the one before.
    std::array<std::uint64_t, bounds.size() + 1> counts{};
    std::uint64_t failed = 0;
    double sum = 0;
    double last = 0;
    std::chrono::system_clock::time_point last_at{};

    void add(double seconds, bool has_failed, std::chrono::system_clock::time_point at) {
        std::size_t i = 0;
        while (i < bounds.size() && seconds > bounds[i]) ++i;
        ++counts[i];
        failed += has_failed ? 1 : 0;
        sum += seconds;
        last = seconds;
        last_at = at;
    }
};

} // namespace natctl
