// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/program.h"

#include <CLI/CLI.hpp>

namespace natctl {

std::optional<ExitCode> parse_command_line(CLI::App& app, int argc, char** argv) {
    app.failure_message([](const CLI::App* failed, const CLI::Error& error) {
        return failed->get_name() + ": " + CLI::FailureMessage::simple(failed, error);
    });
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? exit_done : exit_usage;
    }
    return std::nullopt;
}

} // namespace natctl
