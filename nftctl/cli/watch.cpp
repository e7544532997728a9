// SPDX-License-Identifier: GPL-3.0-or-later
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/agent_client.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/verbs.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

/// A reader of the other end of a pipe wants each line when it comes.
void print(const Options& options, const Json& event) {
    fmt::print("{}\n", options.json ? event.dump(-1, ' ', false, Json::error_handler_t::replace) : event_line(event));
    std::fflush(stdout);
}

int run(const Options& options) {
    auto agent = AgentClient::connect(options.run_dir);
    const auto answer = agent ? agent->ask({{"do", "watch"}}) : std::nullopt;
    if (!answer || !answer->value("ok", false)) {
        fmt::print(stderr, "natctl: cannot ask natctl-agent: it does not run, or you may not: "
                           "systemctl start natctl-agent, or run it as root\n");
        return exit_error;
    }
    for (const auto& event : answer->at("status").at("events")) print(options, event);
    while (const auto line = agent->wait())
        if (line->contains("event")) print(options, line->at("event"));
    fmt::print(stderr, "natctl: natctl-agent has ended\n");
    return exit_error;
}

} // namespace

void add_watch(CommandLine& line) {
    line.verb("watch", "Print what natctl-agent did last, and everything that it does from now on.",
              "natctl watch\n  natctl watch --json | jq -r .text", [&line] { return run(line.options()); });
}

} // namespace natctl
