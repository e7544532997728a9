// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace natctl::doctor {

enum class Grade : std::uint8_t {
    ok,
    /// Good to know, or a check that could not be made.
    note,
    /// Works now, or mostly; will bite.
    warning,
    /// Some flow between the sites does not work.
    error,
};

/// "ok", "note", "warning" or "error".
const char* text(Grade grade);

/// One line of the diagnosis.
struct Finding {
    Grade grade = Grade::ok;
    /// What is the case.
    std::string what;
    /// Why it matters.
    std::string why = {};
    /// A shell command that mends it; empty when no single command can.
    std::string command = {};
    /// What to do where `command` is empty, or what to know before running it.
    std::string advice = {};
    /// The name of the check, stable for scripts; set by diagnose().
    std::string check = {};
};

using Findings = std::vector<Finding>;

} // namespace natctl::doctor
