// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/site.h"

namespace natctl {

// The parts of check_site().

/// Prefixes and addresses against each other and against ranges that have a meaning of their own.
void check_prefixes(const Site& site, Diagnostics& diagnostics);
/// The same for maps of maps files, against each other and everything else. `files` are the findings in site.toml and
/// in each maps file.
void check_prefixes_of_files(const Site& site, std::span<Diagnostics> files);
void check_names(const Site& site, Diagnostics& diagnostics);
/// Names in maps files.
void check_names_of_files(const Site& site, std::span<Diagnostics> files);
void check_interfaces(const Site& site, Diagnostics& diagnostics);
/// Names on the white list; its prefixes are looked at with all others.
void check_white_list(const Site& site, Diagnostics& diagnostics);
/// What is intercepted, and that nothing goes in circles.
void check_intercept(const Site& site, Diagnostics& diagnostics);
/// The tunnel's listeners, and links that lead to them.
void check_listeners(const Site& site, Diagnostics& diagnostics);
/// What `natctl xray` prints: that it fits the links and leads nowhere in circles.
void check_xray(const Site& site, Diagnostics& diagnostics);

/// What natctl-agent shows of itself.
void check_agent(const Site& site, Diagnostics& diagnostics);

/// Whether two listeners cannot both be: the same port on the same address, or on all of them.
bool clash(const Endpoint& a, const Endpoint& b);
/// The key of [tunnel] that says the same port, where the tunnel itself listens; nullptr: none.
const char* own_port(const Endpoint& listen, const Site& site);

/// The position of the element, if it has one.
inline Position position_of(const std::vector<Position>& positions, std::size_t index) {
    return index < positions.size() ? positions[index] : Position{};
}

/// " (line 5)", or " (line 5 of hosts.map)" when the two files differ, numbered as in Map::file.
std::string on_line(const Site& site, Position at, std::uint32_t file, std::uint32_t reported_in);

/// " (line 5)", or nothing for what stands nowhere.
inline std::string on_line(Position at) { return at.line == 0 ? "" : " (line " + std::to_string(at.line) + ")"; }

} // namespace natctl
