// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

#include "agent/child.h"
#include "nftctl/base/fd.h"

namespace natctl {

/// Says which process it is: numbers are used again.
struct ChildRecord {
    pid_t pid = 0;
    /// Clock ticks between the machine's start and that of the process (proc(5), stat, field 22).
    std::uint64_t start = 0;
    Command command;
    bool operator==(const ChildRecord&) const = default;
};

std::string text_of(const ChildRecord& record);
/// nullopt: nothing sensible.
std::optional<ChildRecord> child_record_of(const std::string& text);

/// nullopt: no such process.
std::optional<std::uint64_t> start_of_process(pid_t pid);

/// A pidfd of the process in the record; empty when it has ended.
Fd open_process(const ChildRecord& record);

} // namespace natctl
