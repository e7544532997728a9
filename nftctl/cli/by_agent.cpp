// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/by_agent.h"

#include <filesystem>
#include <stdexcept>

#include "nftctl/base/error.h"
#include "nftctl/kernel/nftables.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

/// Of two paths to one place, by whatever links.
bool same_place(const std::string& one, const std::string& other) {
    std::error_code error;
    return !one.empty() && (one == other || std::filesystem::equivalent(one, other, error));
}

} // namespace

std::optional<AgentClient> find_agent(const Options& options) {
    auto agent = AgentClient::connect(options.run_dir);
    if (agent && !same_place(agent->state_dir(), options.state_dir)) agent.reset();
    return agent;
}

bool keeps(const AgentClient& agent, const Options& options) { return same_place(agent.config(), options.config); }

bool agent_owns_table() {
    try {
        return nft::Nftables().is_anothers();
    } catch (const SystemError&) {
        // Who may not ask may change nothing either, and is told so.
        return false;
    }
}

Json ask(AgentClient& agent, const Json& request) {
    auto answer = agent.ask(request, AgentClient::for_work);
    if (!answer)
        throw std::runtime_error("natctl-agent does not say what came of it: `natctl status` shows how things stand, "
                                 "`journalctl -u natctl-agent` what it does");
    if (!answer->value("ok", false)) throw std::runtime_error(answer->value("error", "natctl-agent refuses"));
    return *std::move(answer);
}

std::optional<Json> by_agent(const Options& options, const Json& request) {
    auto agent = find_agent(options);
    return agent ? std::optional(ask(*agent, request)) : std::nullopt;
}

} // namespace natctl
