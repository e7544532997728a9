// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/by_agent.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/print_change.h"
#include "nftctl/cli/verbs.h"

namespace natctl {

namespace {

int run(const Options& options) {
    if (const auto answer = by_agent(options, {{"do", "down"}}))
        print_changed(options, *answer);
    else
        print_changed(options, forget(options));
    return exit_done;
}

} // namespace

void add_down(CommandLine& line) {
    line.site_verb("down", "Remove exactly what natctl made; site.toml is not needed.", "natctl down",
                   [&line] { return run(line.options()); });
}

} // namespace natctl
