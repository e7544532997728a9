// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

namespace CLI {
class App;
}

namespace natctl {

/// Exit codes that scripts count on. exit_pending: of `natctl plan` alone.
enum ExitCode : int { exit_done = 0, exit_error = 1, exit_usage = 2, exit_pending = 3 };

/// Fills what the options of `app` are bound to. An exit code where that is the end of it: --help or --version was
/// printed, or the usage is wrong, which stderr was told as "PROGRAM: WHAT".
std::optional<ExitCode> parse_command_line(CLI::App& app, int argc, char** argv);

} // namespace natctl
