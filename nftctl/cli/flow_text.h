// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "nftctl/plan/live_flow.h"

namespace natctl {

using WallTime = std::chrono::system_clock::time_point;

/// An array of objects, as natctl-agent has them too.
nlohmann::ordered_json flow_list(const std::vector<LiveFlow>& flows, WallTime now);

/// Such an array as a table with a head for people, one flow a line; "no flows" when there are none.
std::string flow_table(const nlohmann::ordered_json& list);

/// The array itself. Indented by two a level, or in one line.
std::string flow_json(const nlohmann::ordered_json& list, bool indented);

/// "0 B", "1023 B", "1.5 kB", "12 MB": in steps of 1000.
std::string size_text(std::uint64_t bytes);
/// "7 s", "12 min", "3 h", "5 d"
std::string age_text(std::chrono::seconds age);

} // namespace natctl
