// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/command_line.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/plan/render.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

int run(const Options& options) {
    const auto change = roll_back(options);
    if (options.json) fmt::print("{}\n", Json{{"changed", !change.empty()}, {"changes", render(change)}}.dump(2));
    return exit_done;
}

} // namespace

void add_rollback(CommandLine& line) {
    line.verb("rollback", "Return to what was last confirmed; a plain apply confirms itself.", "natctl rollback",
              [&line] { return run(line.options()); });
}

} // namespace natctl
