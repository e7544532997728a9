// SPDX-License-Identifier: GPL-3.0-or-later
#include <sys/stat.h>

#include "nftctl/doctor/checks.h"

namespace natctl::doctor {

namespace {

/// This program is younger than that: 2026-11-01 00:00 UTC.
constexpr std::chrono::system_clock::time_point built{std::chrono::seconds(1793491200)};
constexpr std::uint64_t least_free = 1 << 20;
constexpr unsigned writable_by_others = S_IWGRP | S_IWOTH;

} // namespace

Findings check_clock(const Examination& seen) {
    if (!seen.clock) return {unchecked(seen.clock.failure)};
    if (seen.clock->now < built)
        return {{.grade = Grade::warning,
                 .what = "the clock is wrong: it shows a day before natctl was made",
                 .why = "certificates and replay protection of proxies (VMess, TLS) fail, logs mislead",
                 .command = "timedatectl set-ntp true"}};
    if (!seen.clock->synchronised)
        return {{.grade = Grade::note,
                 .what = "the clock is not synchronised",
                 .why = "proxies that compare clocks (VMess: 90 s) fail when it drifts away",
                 .command = "timedatectl set-ntp true"}};
    return {};
}

Findings check_directories(const Examination& seen) {
    if (!seen.paths) return {unchecked(seen.paths.failure)};
    Findings findings;
    for (const Path& path : *seen.paths) {
        if (path.path == seen.invocation.config) continue;
        const std::string word = shell_word(path.path);
        if (path.exists && !path.directory)
            findings.push_back(
                {.grade = Grade::error,
                 .what = path.path + " is no directory",
                 .why = "natctl apply cannot keep its lock and its state there",
                 .command = "mv " + word + " " + shell_word(path.path + ".old") + " && mkdir -p " + word});
        else if (!path.writable)
            findings.push_back({.grade = Grade::error,
                                .what = "nothing can be written to " + path.path,
                                .why = "natctl apply cannot keep its lock and its state there",
                                .advice = "run it as root; or the file system is read-only: mount -o remount,rw"});
        else if (path.exists && (path.mode & writable_by_others) != 0)
            findings.push_back({.grade = Grade::warning,
                                .what = "others than its owner may write to " + path.path,
                                .why = "whoever does can stop natctl, or change what it takes for the last state",
                                .command = "chmod go-w " + word});
        else if (path.free < least_free)
            findings.push_back({.grade = Grade::error,
                                .what = "the disk of " + path.path + " is full",
                                .why = "natctl apply cannot write its state",
                                .advice = "make room there: df -h " + word});
    }
    return findings;
}

Findings check_configuration_file(const Examination& seen) {
    if (!seen.paths) return {unchecked(seen.paths.failure)};
    for (const Path& path : *seen.paths)
        if (path.path == seen.invocation.config && path.exists && (path.mode & writable_by_others) != 0)
            return {{.grade = Grade::warning,
                     .what = "others than its owner may write to " + path.path,
                     .why = "whoever does decides where this router sends its traffic",
                     .command = "chmod go-w " + shell_word(path.path)}};
    return {};
}

} // namespace natctl::doctor
