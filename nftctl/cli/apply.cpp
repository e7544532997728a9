// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/by_agent.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/print_change.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/forget.h"
#include "nftctl/kernel/trial.h"

namespace natctl {

namespace {

/// `changed`: as json_of() makes it.
void print(const Options& options, nlohmann::ordered_json changed, const std::vector<std::string>& warnings,
           int seconds) {
    for (const auto& text : warnings) warn_on_stderr(text);
    if (seconds == 0) return print_changed(options, changed);
    changed["confirm_within"] = seconds;
    if (options.json)
        fmt::print("{}\n", changed.dump(2));
    else
        fmt::print("on trial: the former state comes back in {} s, unless `natctl confirm` keeps this one\n", seconds);
}

/// nullopt: natctl has to do it by itself.
std::optional<int> run_by_agent(const Options& options, int seconds) {
    auto agent = find_agent(options);
    if (!agent) return std::nullopt;
    const bool its_own = keeps(*agent, options);
    if (!its_own && !agent_owns_table()) return std::nullopt;
    // It says mistakes where nobody may look for them.
    if (!read_site(options.config)) return exit_error;
    nlohmann::ordered_json request{{"do", "apply"}};
    if (seconds != 0) request["confirm"] = seconds;
    if (!its_own) request["config"] = std::filesystem::absolute(options.config).string();
    const auto answer = ask(*agent, request);
    print(options, json_of(answer, "changed"), answer.at("warnings").get<std::vector<std::string>>(), seconds);
    return exit_done;
}

/// `seconds` 0: for good.
int run(const Options& options, int seconds) {
    if (const auto code = run_by_agent(options, seconds)) return *code;
    const auto applied = seconds == 0 ? apply_file(options) : apply_on_trial(options, std::chrono::seconds(seconds));
    if (!applied) return exit_error;
    print(options, json_of(applied->change, "changed"), applied->warnings, seconds);
    return exit_done;
}

} // namespace

void add_apply(CommandLine& line) {
    const auto seconds = std::make_shared<int>(0);
    line.site_verb("apply", "Make the kernel hold what site.toml says, all or nothing.",
                   "natctl apply /etc/natctl/site.toml\n"
                   "  natctl apply --confirm 60 && natctl confirm   # back by itself, should this cut you off",
                   [&line, seconds] { return run(line.options(), *seconds); })
        .add_option("--confirm", *seconds, "return to the former state after so many seconds without `natctl confirm`")
        ->check(CLI::Range(1, static_cast<int>(longest_trial.count())))
        ->type_name("SECONDS");
}

} // namespace natctl
