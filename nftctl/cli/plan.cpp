// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "nftctl/cli/by_agent.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/print_change.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/apply.h"

namespace natctl {

namespace {

/// As json_of() makes it.
nlohmann::ordered_json find_pending(const Options& options, const Site& site) {
    // Reading what the kernel holds takes root.
    auto agent = ::geteuid() != 0 ? find_agent(options) : std::nullopt;
    if (agent && keeps(*agent, options)) return json_of(ask(*agent, {{"do", "plan"}}), "pending");
    return json_of(pending(*open_kernel(options, site), site), "pending");
}

int run(const Options& options) {
    const auto site = read_site(options.config);
    if (!site) return exit_error;
    const auto found = find_pending(options, *site);
    if (options.json)
        fmt::print("{}\n", found.dump(2));
    else
        fmt::print("{}", found.at("changes").get_ref<const std::string&>());
    return found.at("pending").get<bool>() ? exit_pending : exit_done;
}

} // namespace

void add_plan(CommandLine& line) {
    line.site_verb("plan", "Print what apply would change, as nft text; exit code 3 when there is something.",
                   "natctl plan && echo nothing to do", [&line] { return run(line.options()); });
}

} // namespace natctl
