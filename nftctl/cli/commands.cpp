// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/commands.h"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/plan/render.h"
#include "nftctl/site/load.h"

namespace natctl {

using Json = nlohmann::ordered_json;

int run_check(const Options& options) {
    if (!options.json) return read_site(options.config, true) ? exit_done : exit_error;
    const auto loaded = load_site(options.config);
    Json findings = Json::array();
    for (const auto& item : flatten(loaded.diagnostics, options.config, loaded.source))
        findings.push_back({{"file", item.file},
                            {"line", item.line},
                            {"column", item.column},
                            {"end_column", item.end_column},
                            {"severity", item.severity},
                            {"message", item.message},
                            {"remedy", item.remedy}});
    const Json answer{{"ok", loaded.site.has_value()}, {"findings", findings}};
    fmt::print("{}\n", answer.dump(2, ' ', false, Json::error_handler_t::replace));
    return loaded.site ? exit_done : exit_error;
}

int run_plan(const Options& options) {
    const auto site = read_site(options.config);
    if (!site) return exit_error;
    const auto kernel = make_linux_kernel();
    const auto change = pending(*kernel, *site);
    if (options.json)
        fmt::print("{}\n", Json{{"pending", !change.empty()}, {"changes", render(change)}}.dump(2));
    else
        fmt::print("{}", render(change));
    return change.empty() ? exit_done : exit_pending;
}

int run_apply(const Options& options) {
    const auto change = apply_file(options);
    if (!change) return exit_error;
    if (options.json) fmt::print("{}\n", Json{{"changed", !change->empty()}, {"changes", render(*change)}}.dump(2));
    return exit_done;
}

int run_show(const Options& options) {
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

int run_down(const Options& options) {
    const auto kernel = make_linux_kernel();
    const ApplyLock lock(options.run_dir);
    const auto change = take_down(*kernel);
    forget_applied(options.state_dir);
    if (options.json) fmt::print("{}\n", Json{{"changed", !change.empty()}, {"changes", render(change)}}.dump(2));
    return exit_done;
}

std::span<const Command> commands() {
    static constexpr std::array<Command, 6> all{{
        {"check", "Read site.toml and name every mistake in it.", "natctl check site.toml", run_check},
        {"plan", "Print what apply would change, as nft text; exit code 3 when there is something.",
         "natctl plan && echo nothing to do", run_plan},
        {"apply", "Make the kernel hold what site.toml says, all or nothing.", "natctl apply /etc/natctl/site.toml",
         run_apply},
        {"show", "Print what the kernel holds of natctl's, as text that nft -f accepts.", "natctl show > saved.nft",
         run_show},
        {"status", "Say in words what is in place and which links are used.", "natctl status --json", run_status},
        {"down", "Remove exactly what natctl made; site.toml is not needed.", "natctl down", run_down},
    }};
    return all;
}

} // namespace natctl
