// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace natctl {

/// An array as json_of() makes it as a table with a head for people, one flow a line; "no flows" when there are none.
std::string flow_table(const nlohmann::ordered_json& list);

/// The array itself. Indented by two a level, or in one line.
std::string flow_json(const nlohmann::ordered_json& list, bool indented);

/// "0 B", "1023 B", "1.5 kB", "12 MB": in steps of 1000.
std::string size_text(std::uint64_t bytes);
/// "7 s", "12 min", "3 h", "5 d"
std::string age_text(std::chrono::seconds age);

} // namespace natctl
