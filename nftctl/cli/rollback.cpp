// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/by_agent.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/print_change.h"
#include "nftctl/cli/verbs.h"

namespace natctl {

namespace {

int run(const Options& options) {
    if (const auto answer = by_agent(options, {{"do", "rollback"}}))
        print_changed(options, *answer);
    else
        print_changed(options, roll_back(options));
    return exit_done;
}

} // namespace

void add_rollback(CommandLine& line) {
    line.verb("rollback", "Return to what was last confirmed; a plain apply confirms itself.", "natctl rollback",
              [&line] { return run(line.options()); });
}

} // namespace natctl
