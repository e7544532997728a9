// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/by_agent.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/verbs.h"

namespace natctl {

namespace {

int run(const Options& options) {
    if (!by_agent(options, {{"do", "confirm"}})) confirm(options);
    if (options.json) fmt::print("{}\n", nlohmann::ordered_json{{"confirmed", true}}.dump(2));
    return exit_done;
}

} // namespace

void add_confirm(CommandLine& line) {
    line.verb("confirm", "Keep what `natctl apply --confirm` put on trial.", "natctl confirm",
              [&line] { return run(line.options()); });
}

} // namespace natctl
