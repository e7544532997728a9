// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "nftctl/cli/by_agent.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/print_change.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/apply.h"
#include "nftctl/plan/render.h"

namespace natctl {

namespace {

int run(const Options& options) {
    const auto site = read_site(options.config);
    if (!site) return exit_error;
    // Reading what the kernel holds takes root.
    if (const auto answer = ::geteuid() != 0 ? by_agent_of(options, {{"do", "plan"}}) : std::nullopt) {
        if (options.json)
            fmt::print("{}\n", json_of(*answer, "pending").dump(2));
        else
            fmt::print("{}", answer->at("changes").get_ref<const std::string&>());
        return answer->at("pending").get<bool>() ? exit_pending : exit_done;
    }
    const auto kernel = open_kernel(options, *site);
    const auto change = pending(*kernel, *site);
    if (options.json)
        fmt::print("{}\n", json_of(change, "pending").dump(2));
    else
        fmt::print("{}", render(change));
    return change.empty() ? exit_done : exit_pending;
}

} // namespace

void add_plan(CommandLine& line) {
    line.site_verb("plan", "Print what apply would change, as nft text; exit code 3 when there is something.",
                   "natctl plan && echo nothing to do", [&line] { return run(line.options()); });
}

} // namespace natctl
