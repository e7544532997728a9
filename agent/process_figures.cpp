// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/process_figures.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

namespace natctl {

ProcessFigures read_process_figures(std::chrono::system_clock::time_point began) {
    ProcessFigures figures{.began = began};
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    figures.processor_seconds = static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
    // Pages in all, and those in memory (proc(5)).
    std::uint64_t pages = 0;
    std::uint64_t resident_pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident_pages;
    figures.resident = resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    std::error_code ignored;
    const auto files = std::filesystem::directory_iterator("/proc/self/fd", ignored);
    // One of them is the directory itself.
    const auto count = std::distance(begin(files), end(files));
    figures.open_files = static_cast<std::uint64_t>(count > 0 ? count - 1 : 0);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    figures.most_open_files = limit.rlim_cur;
    return figures;
}

} // namespace natctl
