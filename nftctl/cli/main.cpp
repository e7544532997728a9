// SPDX-License-Identifier: GPL-3.0-or-later
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nftctl/cli/commands.h"

int main(int argc, char** argv) {
    using namespace natctl;
    CLI::App app{"natctl joins sites whose LANs use the same addresses.", "natctl"};
    app.set_version_flag("--version", std::string("natctl ") + NATCTL_VERSION);
    app.require_subcommand(1);
    app.footer("Exit codes: 0 done, 1 error, 2 usage, 3 changes pending (plan).\n"
               "Examples:\n  natctl check site.toml\n  natctl plan site.toml\n  natctl apply site.toml");
    Options options;
    const Command* chosen = nullptr;
    for (const auto& command : commands()) {
        auto* verb = app.add_subcommand(command.name, command.help);
        verb->add_option("site.toml", options.config, "the configuration")->capture_default_str();
        verb->add_option("--run-dir", options.run_dir, "for locks and sockets")->capture_default_str();
        verb->add_option("--state-dir", options.state_dir, "for what outlives a restart")->capture_default_str();
        verb->add_flag("--json", options.json, "print JSON");
        verb->footer(std::string("Example:\n  ") + command.example);
        verb->callback([&chosen, &command] { chosen = &command; });
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? exit_done : exit_usage;
    }
    try {
        return chosen->run(options);
    } catch (const std::exception& error) {
        fmt::print(stderr, "natctl: {}\n", error.what());
        return exit_error;
    }
}
