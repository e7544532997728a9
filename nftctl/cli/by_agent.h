// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "nftctl/cli/agent_client.h"
#include "nftctl/kernel/session.h"

namespace natctl {

// Where natctl-agent runs, it does what natctl is asked for: there is one writer then, and whoever may use its socket
// needs no other right. Where it does not, natctl does it by itself.

/// nullopt: none runs for this state directory that could be asked.
std::optional<AgentClient> find_agent(const Options& options);

/// Whether it keeps this configuration.
bool keeps(const AgentClient& agent, const Options& options);
/// Whether nobody but the agent can change the table.
bool agent_owns_table();

/// Its answer. Throws std::runtime_error with what it refuses, or when it does not say what came of it.
nlohmann::ordered_json ask(AgentClient& agent, const nlohmann::ordered_json& request);

/// Both at once: the answer of the agent, if there is one.
std::optional<nlohmann::ordered_json> by_agent(const Options& options, const nlohmann::ordered_json& request);

} // namespace natctl
