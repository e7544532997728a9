// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/command_line.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/doctor/checks.h"
#include "nftctl/doctor/examine.h"
#include "nftctl/doctor/look.h"
#include "nftctl/site/load.h"

namespace natctl {

namespace {

using doctor::Finding;
using doctor::Grade;
using Json = nlohmann::ordered_json;

std::size_t count(const doctor::Findings& findings, Grade grade) {
    return static_cast<std::size_t>(std::ranges::count(findings, grade, &Finding::grade));
}

void print_json(const doctor::Findings& findings, bool all) {
    Json list = Json::array();
    for (const Finding& finding : findings) {
        if (finding.grade == Grade::ok && !all) continue;
        Json item{{"severity", doctor::text(finding.grade)}, {"check", finding.check}, {"what", finding.what}};
        if (!finding.why.empty()) item["why"] = finding.why;
        if (!finding.command.empty()) item["command"] = finding.command;
        if (!finding.advice.empty()) item["advice"] = finding.advice;
        list.push_back(std::move(item));
    }
    const Json answer{{"ok", count(findings, Grade::error) == 0},
                      {"checks", doctor::count_checks()},
                      {"errors", count(findings, Grade::error)},
                      {"warnings", count(findings, Grade::warning)},
                      {"findings", list}};
    fmt::print("{}\n", answer.dump(2, ' ', false, Json::error_handler_t::replace));
}

void print_text(const doctor::Findings& findings, bool all) {
    for (const Grade grade : {Grade::error, Grade::warning, Grade::note, Grade::ok}) {
        if (grade == Grade::ok && !all) continue;
        for (const Finding& finding : findings) {
            if (finding.grade != grade) continue;
            fmt::print("{:<8} {}: {}\n", doctor::text(grade), finding.check, finding.what);
            if (!finding.why.empty()) fmt::print("         because {}\n", finding.why);
            if (!finding.command.empty()) fmt::print("         run:  {}\n", finding.command);
            if (!finding.advice.empty()) fmt::print("         {}\n", finding.advice);
        }
    }
    fmt::print("errors: {}, warnings: {}, notes: {}, fine: {}\n", count(findings, Grade::error),
               count(findings, Grade::warning), count(findings, Grade::note), count(findings, Grade::ok));
}

int run(const Options& options, bool all) {
    const doctor::Invocation invocation{
        .config = options.config, .run_dir = options.run_dir, .state_dir = options.state_dir};
    const auto loaded = doctor::look([&] { return load_site(options.config); });
    const Site* const site = loaded && loaded->site ? &*loaded->site : nullptr;
    auto seen = doctor::examine(site, invocation);
    seen.configuration =
        loaded ? doctor::Seen(loaded->diagnostics) : doctor::Seen<std::vector<Diagnostic>>::failed(loaded.failure);
    auto findings = doctor::diagnose(site, seen);
    std::ranges::stable_sort(findings, std::greater<>(), &Finding::grade);
    options.json ? print_json(findings, all) : print_text(findings, all);
    return count(findings, Grade::error) == 0 ? exit_done : exit_error;
}

} // namespace

void add_doctor(CommandLine& line) {
    const auto all = std::make_shared<bool>(false);
    line.site_verb("doctor", "Look for what keeps the sites from talking, and say what mends it; changes nothing.",
                   "natctl doctor --all", [&line, all] { return run(line.options(), *all); })
        .add_flag("--all", *all, "also print what is fine");
}

} // namespace natctl
