// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/command_line.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/plan/render.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

int run(const Options& options) {
    const auto plan = make_linux_kernel()->read().plan;
    if (!options.json) {
        fmt::print("{}", render(plan));
        return exit_done;
    }
    Json rules = Json::array();
    for (const auto& rule : plan.rules) rules.push_back(render(rule));
    Json routes = Json::array();
    for (const auto& route : plan.routes) routes.push_back(render(route));
    const std::string table = plan.table ? render(Plan{.table = plan.table}) : "";
    fmt::print("{}\n", Json{{"table", table}, {"rules", rules}, {"routes", routes}}.dump(2));
    return exit_done;
}

} // namespace

void add_show(CommandLine& line) {
    line.site_verb("show", "Print what the kernel holds of natctl's, as text that nft -f accepts.",
                   "natctl show > saved.nft", [&line] { return run(line.options()); });
}

} // namespace natctl
