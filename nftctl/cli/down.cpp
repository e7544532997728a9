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
    const auto change = forget(options);
    if (options.json) fmt::print("{}\n", Json{{"changed", !change.empty()}, {"changes", render(change)}}.dump(2));
    return exit_done;
}

} // namespace

void add_down(CommandLine& line) {
    line.site_verb("down", "Remove exactly what natctl made; site.toml is not needed.", "natctl down",
                   [&line] { return run(line.options()); });
}

} // namespace natctl
