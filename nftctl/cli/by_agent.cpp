// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/by_agent.h"

#include <filesystem>
#include <stdexcept>

#include "nftctl/base/error.h"
#include "nftctl/cli/agent_client.h"
#include "nftctl/kernel/nftables.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

/// Of two paths to one place, by whatever links.
bool same_place(const std::string& one, const std::string& other) {
    std::error_code error;
    return !one.empty() && (one == other || std::filesystem::equivalent(one, other, error));
}

bool serves(const AgentClient& agent, const Options& options) {
    return same_place(agent.state_dir(), options.state_dir);
}

bool keeps(const AgentClient& agent, const Options& options) {
    return serves(agent, options) && same_place(agent.config(), options.config);
}

std::optional<Json> ask(const Options& options, const Json& request, decltype(serves) can_do) {
    auto agent = AgentClient::connect(options.run_dir);
    if (!agent || !can_do(*agent, options)) return std::nullopt;
    auto answer = agent->ask(request, AgentClient::for_work);
    if (!answer)
        throw std::runtime_error("natctl-agent does not say what came of it: `natctl status` shows how things stand, "
                                 "`journalctl -u natctl-agent` what it does");
    if (!answer->value("ok", false)) throw std::runtime_error(answer->value("error", "natctl-agent refuses"));
    return answer;
}

} // namespace

std::optional<Json> by_agent(const Options& options, const Json& request) { return ask(options, request, serves); }

bool agent_keeps(const Options& options) {
    const auto agent = AgentClient::connect(options.run_dir);
    return agent && keeps(*agent, options);
}

bool agent_owns(const Options& options) {
    const auto agent = AgentClient::connect(options.run_dir);
    if (!agent || !serves(*agent, options)) return false;
    try {
        return nft::Nftables().is_anothers();
    } catch (const SystemError&) {
        // Who may not ask may change nothing either, and is told so.
        return false;
    }
}

std::optional<Json> by_agent_of(const Options& options, const Json& request) { return ask(options, request, keeps); }

} // namespace natctl
