// SPDX-License-Identifier: GPL-3.0-or-later
//
// Keeps the kernel as site.toml says. It holds no part of the traffic: stopping or killing it leaves the kernel as it
// is.
#include <chrono>
#include <exception>
#include <string>
#include <utility>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include "agent/agent.h"
#include "nftctl/base/log.h"
#include "nftctl/base/program.h"

int main(int argc, char** argv) {
    using namespace natctl;
    CLI::App app{"Keeps the kernel as site.toml says, while addresses and other programs change.", "natctl-agent"};
    app.set_version_flag("--version", std::string("natctl-agent ") + NATCTL_VERSION);
    AgentOptions options;
    std::string log_level = "info";
    app.add_option("--config", options.session.config, "the configuration")->capture_default_str();
    app.add_option("--run-dir", options.session.run_dir, "for locks and sockets")->capture_default_str();
    app.add_option("--state-dir", options.session.state_dir, "for what outlives a restart")->capture_default_str();
    app.add_flag("!--no-watch", options.watch_site, "read the configuration at start and at SIGHUP alone");
    int grace = static_cast<int>(options.name_grace.count());
    app.add_option("--name-grace", grace, "how long an address stays on the white list that its name has lost")
        ->check(CLI::Range(0, 24 * 60 * 60))
        ->type_name("SECONDS")
        ->capture_default_str();
    auto& links = options.links;
    int hold = static_cast<int>(std::chrono::floor<std::chrono::seconds>(links.hold).count());
    app.add_option("--link-hold", hold,
                   "how long a link that has failed must work again before it is used, where there is another one")
        ->check(CLI::Range(0, 60 * 60))
        ->type_name("SECONDS")
        ->capture_default_str();
    int end = static_cast<int>(std::chrono::floor<std::chrono::seconds>(links.end).count());
    app.add_option("--link-end", end, "when no link to a peer has worked for so long, open flows are ended")
        ->check(CLI::Range(1, 24 * 60 * 60))
        ->type_name("SECONDS")
        ->capture_default_str();
    int every = static_cast<int>(std::chrono::floor<std::chrono::milliseconds>(links.probe_every).count());
    app.add_option("--probe-every", every, "between pings through a link; 0: none")
        ->check(CLI::Range(0, 60 * 1000))
        ->type_name("MILLISECONDS")
        ->capture_default_str();
    app.add_option("--group", options.group, "who may use the control socket beside root")->type_name("NAME");
    app.add_option("--log-level", log_level, "how much is said on standard error")
        ->check(CLI::IsMember({"trace", "debug", "info", "warning", "error", "critical", "off"}))
        ->capture_default_str();
    app.footer("Example:\n  natctl-agent --config /etc/natctl/site.toml");
    if (const auto code = parse_command_line(app, argc, argv)) return *code;
    links.hold = std::chrono::seconds(hold);
    links.end = std::chrono::seconds(end);
    links.probe_every = std::chrono::milliseconds(every);
    options.name_grace = std::chrono::seconds(grace);
    log_to_stderr("natctl-agent", log_level);
    try {
        return Agent(std::move(options)).run();
    } catch (const std::exception& error) {
        spdlog::critical("{}", error.what());
        return exit_error;
    }
}
