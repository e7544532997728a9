// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "nftctl/kernel/session.h"

namespace natctl {

/// Exit codes that scripts count on.
enum ExitCode : int { exit_done = 0, exit_error = 1, exit_usage = 2, exit_pending = 3 };

int run_check(const Options& options);
int run_plan(const Options& options);
int run_apply(const Options& options);
int run_show(const Options& options);
int run_status(const Options& options);
int run_down(const Options& options);

/// A verb of the command line.
struct Command {
    const char* name;
    const char* help;
    const char* example;
    int (*run)(const Options&);
};

std::span<const Command> commands();

} // namespace natctl
