// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include <nlohmann/json.hpp>

#include "nftctl/kernel/session.h"

namespace natctl {

// Where natctl-agent runs, it does what natctl is asked for: there is one writer then, and whoever may use its socket
// needs no other right. Where it does not, natctl does it by itself.

/// The agent's answer; nullopt: none runs for this state directory that could be asked. Throws std::runtime_error with
/// what it refuses, or when it does not say what came of it.
std::optional<nlohmann::ordered_json> by_agent(const Options& options, const nlohmann::ordered_json& request);

/// Whether it runs, can be asked, and keeps this configuration.
bool agent_keeps(const Options& options);
/// Whether it runs, can be asked, and nobody else can change the table.
bool agent_owns(const Options& options);
/// As by_agent(), of that configuration: nullopt also where it keeps another one.
std::optional<nlohmann::ordered_json> by_agent_of(const Options& options, const nlohmann::ordered_json& request);

} // namespace natctl
