// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace natctl {

/// What spdlog is told from now on goes to standard error, from this level on: "trace", "debug", "info", "warning",
/// "error", "critical" or "off". Under systemd, whose journal knows the rest, a line is its priority and the text alone
/// (sd-daemon(3)); elsewhere it has time, program and level.
void log_to_stderr(const std::string& program, const std::string& level);

} // namespace natctl
