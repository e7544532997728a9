// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>

namespace natctl {

/// Of this process.
struct ProcessFigures {
    double processor_seconds = 0;
    /// Bytes in memory.
    std::uint64_t resident = 0;
    std::uint64_t open_files = 0;
    std::uint64_t most_open_files = 0;
    std::chrono::system_clock::time_point began;
};

ProcessFigures read_process_figures(std::chrono::system_clock::time_point began);

} // namespace natctl
