// SPDX-License-Identifier: GPL-3.0-or-later
//
// Applies site.toml at its start and whenever it gets SIGHUP. It holds no part of the traffic: stopping or killing it
// leaves the kernel as it is.
#include <csignal>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/base/program.h"
#include "nftctl/kernel/session.h"

namespace natctl {

namespace {

int serve(const Options& options) {
    // Blocked before the first apply, so that no request that arrives meanwhile is lost.
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals, number);
    if (sigprocmask(SIG_BLOCK, &signals, nullptr) < 0) throw_errno("block", "signals");
    if (!apply_again(options)) return exit_error;
    for (;;) {
        int number = 0;
        sigwait(&signals, &number);
        if (number != SIGHUP) return exit_done;
        try {
            if (!apply_again(options))
                fmt::print(stderr, "natctl-agent: {} has errors, the former state stays\n", options.config);
        } catch (const std::exception& error) {
            fmt::print(stderr, "natctl-agent: {}; the former state stays\n", error.what());
        }
    }
}

} // namespace

} // namespace natctl

int main(int argc, char** argv) {
    using namespace natctl;
    CLI::App app{"Keeps the kernel as site.toml says: applies it now and at every SIGHUP.", "natctl-agent"};
    app.set_version_flag("--version", std::string("natctl-agent ") + NATCTL_VERSION);
    Options options;
    app.add_option("--config", options.config, "the configuration")->capture_default_str();
    app.add_option("--run-dir", options.run_dir, "for locks and sockets")->capture_default_str();
    app.add_option("--state-dir", options.state_dir, "for what outlives a restart")->capture_default_str();
    app.footer("Example:\n  natctl-agent --config /etc/natctl/site.toml");
    if (const auto code = parse_command_line(app, argc, argv)) return *code;
    try {
        return serve(options);
    } catch (const std::exception& error) {
        fmt::print(stderr, "natctl-agent: {}\n", error.what());
        return exit_error;
    }
}
