// SPDX-License-Identifier: GPL-3.0-or-later
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/by_agent.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/print_change.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/forget.h"

namespace natctl {

namespace {

constexpr int longest_trial = 24 * 60 * 60;

/// nullopt: it has ended meanwhile.
std::optional<int> run_by_agent(const Options& options) {
    // It says mistakes where nobody may look for them.
    if (!read_site(options.config)) return exit_error;
    const auto answer = by_agent_of(options, {{"do", "apply"}});
    if (!answer) return std::nullopt;
    for (const auto& text : answer->at("warnings")) warn_on_stderr(text.get<std::string>());
    print_changed(options, *answer);
    return exit_done;
}

/// `seconds` 0: for good.
int run(const Options& options, int seconds) {
    if (const auto code = seconds == 0 && agent_keeps(options) ? run_by_agent(options) : std::nullopt) return *code;
    const auto applied = seconds == 0 ? apply_file(options) : apply_on_trial(options, std::chrono::seconds(seconds));
    if (!applied) return exit_error;
    for (const auto& text : applied->warnings) warn_on_stderr(text);
    if (options.json) {
        auto answer = json_of(applied->change, "changed");
        if (seconds != 0) answer["confirm_within"] = seconds;
        fmt::print("{}\n", answer.dump(2));
    } else if (seconds != 0) {
        fmt::print("on trial: the former state comes back in {} s, unless `natctl confirm` keeps this one\n", seconds);
    }
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
        ->check(CLI::Range(1, longest_trial))
        ->type_name("SECONDS");
}

} // namespace natctl
