// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/plan/facts.h"

namespace natctl {

// What was added to the white list at run time, as RUN_DIR/white_list. It outlives every configuration, but not the
// machine's boot.

/// An entry of it.
struct RunTimeRecord {
    Prefix prefix;
    /// Of CLOCK_BOOTTIME. Absent: it has no end.
    std::optional<std::chrono::nanoseconds> deadline = {};
    /// The name of the host that it was added by; empty: it was added by its address.
    std::string name = {};

    bool operator==(const RunTimeRecord&) const = default;
};

struct RunTimeList {
    /// /proc/sys/kernel/random/boot_id. In another boot the deadlines mean nothing.
    std::string boot;
    /// In the order in which they were added, each prefix once.
    std::vector<RunTimeRecord> records;

    bool operator==(const RunTimeList&) const = default;
};

/// What stands in the file, and back: a line "boot ID", then for each record "PREFIX DEADLINE|- [NAME]". Of other text
/// that throws SystemError (EINVAL) which names the file and the line.
std::string text_of(const RunTimeList& list);
RunTimeList run_time_list_of(const std::string& text, const std::string& path);

/// Those of this boot whose deadline is not over, with what is left of it.
std::vector<RunTimeRecord> records_at(const RunTimeList& list, std::chrono::nanoseconds now, const std::string& boot);
std::vector<RunTimeEntry> entries_of(const std::vector<RunTimeRecord>& records, std::chrono::nanoseconds now);

/// The file's records at this moment; none when there is no file.
std::vector<RunTimeRecord> read_run_time_list(const std::string& run_dir);
/// The same for the facts.
std::vector<RunTimeEntry> read_run_time_entries(const std::string& run_dir);

/// Whole or not at all; none removes the file.
void write_run_time_list(const std::string& run_dir, const std::vector<RunTimeRecord>& records);

} // namespace natctl
