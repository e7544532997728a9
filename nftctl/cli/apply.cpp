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
    const auto change = apply_file(options);
    if (!change) return exit_error;
    if (options.json) fmt::print("{}\n", Json{{"changed", !change->empty()}, {"changes", render(*change)}}.dump(2));
    return exit_done;
}

} // namespace

void add_apply(CommandLine& line) {
    line.site_verb("apply", "Make the kernel hold what site.toml says, all or nothing.",
                   "natctl apply /etc/natctl/site.toml", [&line] { return run(line.options()); });
}

} // namespace natctl
