// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace natctl {

/// What natctl-tunnel tells at its socket in `run_dir` (tunnel/status.h); nullopt: it does not run, or may not be
/// asked.
std::optional<nlohmann::ordered_json> read_tunnel_status(const std::string& run_dir);

/// In words, a line each.
std::vector<std::string> tunnel_lines(const nlohmann::ordered_json& status);

} // namespace natctl
