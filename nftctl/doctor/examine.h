// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/doctor/examination.h"

namespace natctl::doctor {

/// Looks at everything there is to see, in the calling thread's network namespace, and changes nothing. A part that
/// fails says why; nothing throws. Takes at most about a second: proxies and names are asked all at once. Without a
/// site only the machine is looked at. `configuration` is left to the caller, who read it.
Examination examine(const Site* site, const Invocation& invocation);

// The parts; each throws SystemError.
std::vector<Device> read_devices();
std::vector<ForeignRule> read_foreign_rules();
/// Of natctl's tables and of those that one of the rules leads to before natctl's.
std::vector<ForeignRoute> read_foreign_routes(const std::vector<ForeignRule>& rules);
std::vector<firewall::Table> read_foreign_tables();
std::vector<std::string> read_legacy_tables();
std::vector<Feature> read_features();
std::vector<ListeningSocket> read_listening_sockets();
std::map<std::string, std::string> read_sysctls(const Site* site);
std::optional<Process> read_tunnel(const std::string& run_dir);
std::optional<Process> read_agent();
std::vector<Path> read_paths(const Invocation& invocation);
Clock read_clock();
/// Of the interfaces with these names that are WireGuard's.
std::vector<WireGuardDevice> read_wireguard(const std::vector<std::string>& interfaces);
/// What WireGuard in user space answers to get=1 (wireguard.com/xplatform).
WireGuardDevice parse_wireguard(const std::string& name, const std::string& text);

/// Knocks at every proxy of the site at once, and waits no longer than `patience`.
std::vector<ProxyAnswer> ask_proxies(const Site& site, std::chrono::milliseconds patience);

} // namespace natctl::doctor
