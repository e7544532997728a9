// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/command_line.h"

#include <utility>

#include <CLI/CLI.hpp>

namespace natctl {

CLI::App& CommandLine::add(const std::string& name, const std::string& help, const std::string& example,
                           std::function<int()> run) {
    auto* verb = app_.add_subcommand(name, help);
    verb->add_option("--run-dir", options_.run_dir, "for locks and sockets")->capture_default_str();
    verb->add_option("--state-dir", options_.state_dir, "for what outlives a restart")->capture_default_str();
    verb->add_flag("--json", options_.json, "print JSON");
    verb->footer("Example:\n  " + example);
    verb->callback([this, run = std::move(run)] { chosen_ = run; });
    return *verb;
}

CLI::App& CommandLine::verb(const std::string& name, const std::string& help, const std::string& example,
                            std::function<int()> run) {
    auto& verb = add(name, help, example, std::move(run));
    verb.add_option("--config", options_.config, "the configuration")->capture_default_str();
    return verb;
}

CLI::App& CommandLine::site_verb(const std::string& name, const std::string& help, const std::string& example,
                                 std::function<int()> run) {
    auto& verb = add(name, help, example, std::move(run));
    verb.add_option("site.toml,--config", options_.config, "the configuration")->capture_default_str();
    return verb;
}

} // namespace natctl
