// SPDX-License-Identifier: GPL-3.0-or-later
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nftctl/cli/command_line.h"
#include "nftctl/cli/verbs.h"

int main(int argc, char** argv) {
    using namespace natctl;
    CLI::App app{"natctl joins sites whose LANs use the same addresses. Without a verb it says how things stand.",
                 "natctl"};
    app.set_version_flag("--version", std::string("natctl ") + NATCTL_VERSION);
    app.require_subcommand(0, 1);
    app.footer("Exit codes: 0 done, 1 error, 2 usage, 3 changes pending (plan).\n"
               "Examples:\n  natctl check site.toml\n  natctl plan site.toml\n  natctl apply site.toml");
    CommandLine line(app);
    for (const auto add :
         {add_init, add_check, add_doctor, add_plan, add_apply, add_confirm, add_rollback, add_show, add_status,
          add_down, add_flows, add_ping, add_radvd, add_resolve, add_trace, add_watch, add_whitelist, add_xray})
        add(line);
    if (const auto code = parse_command_line(app, argc, argv)) return *code;
    try {
        return line.chosen() ? line.chosen()() : run_status(line);
    } catch (const std::exception& error) {
        fmt::print(stderr, "natctl: {}\n", error.what());
        return exit_error;
    }
}
