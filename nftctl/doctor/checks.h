// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <set>
#include <string>

#include "nftctl/doctor/examination.h"
#include "nftctl/doctor/finding.h"
#include "nftctl/site/site.h"

namespace natctl::doctor {

// Checks are functions on values: the site and what was seen. Each returns what is wrong; nothing when all is well, or
// when the site has nothing to do with it.

using SiteCheck = Findings (*)(const Site&, const Examination&);
using MachineCheck = Findings (*)(const Examination&);

/// All checks, in the order of the list; a check that finds nothing appears as one ok finding. Without a site those
/// of the machine alone.
Findings diagnose(const Site* site, const Examination& seen);

/// How many checks diagnose() makes when there is a site.
std::size_t count_checks();

// nf_tables, its features, IPv6.
Findings check_configuration(const Examination& seen);
Findings check_privileges(const Examination& seen);
Findings check_features(const Examination& seen);
Findings check_ipv6(const Site& site, const Examination& seen);

// sysctls
Findings check_forwarding4(const Site& site, const Examination& seen);
Findings check_forwarding6(const Site& site, const Examination& seen);
Findings check_interface_forwarding(const Site& site, const Examination& seen);
Findings check_reverse_path(const Site& site, const Examination& seen);
Findings check_route_localnet(const Site& site, const Examination& seen);
Findings check_bridge_netfilter(const Site& site, const Examination& seen);
Findings check_port_range(const Site& site, const Examination& seen);
Findings check_conntrack_room(const Examination& seen);
Findings check_conntrack_timeout(const Examination& seen);
Findings check_conntrack_accounting(const Examination& seen);
Findings check_open_files(const Examination& seen);

// interfaces and addresses
Findings check_lan(const Site& site, const Examination& seen);
Findings check_lan_address(const Site& site, const Examination& seen);
Findings check_links(const Site& site, const Examination& seen);
Findings check_gateways(const Site& site, const Examination& seen);
Findings check_peers(const Site& site, const Examination& seen);
Findings check_outside_addresses(const Site& site, const Examination& seen);
Findings check_own_virtual(const Site& site, const Examination& seen);
Findings check_duplicate_site(const Site& site, const Examination& seen);
Findings check_mtu(const Site& site, const Examination& seen);
Findings check_wireguard(const Site& site, const Examination& seen);
Findings check_windows(const Site& site, const Examination& seen);

// what the kernel holds of ours
Findings check_table(const Site& site, const Examination& seen);
Findings check_policy_rules(const Site& site, const Examination& seen);
Findings check_routes(const Site& site, const Examination& seen);

// policy rules and routes of others
Findings check_rules_among_ours(const Examination& seen);
Findings check_rules_before_ours(const Site& site, const Examination& seen);
Findings check_rules_by_mark(const Site& site, const Examination& seen);
Findings check_routes_among_ours(const Examination& seen);

// other firewalls
Findings check_filters(const Site& site, const Examination& seen);
Findings check_nat(const Site& site, const Examination& seen);
Findings check_marks(const Site& site, const Examination& seen);
Findings check_legacy_tables(const Examination& seen);

// programs and proxies
Findings check_tunnel(const Site& site, const Examination& seen);
Findings check_tunnel_descriptors(const Examination& seen);
Findings check_agent(const Examination& seen);
Findings check_proxies(const Site& site, const Examination& seen);
Findings check_proxy_exposure(const Site& site, const Examination& seen);
Findings check_listeners(const Site& site, const Examination& seen);
Findings check_names(const Site& site, const Examination& seen);

// clock and files
Findings check_clock(const Examination& seen);
Findings check_directories(const Examination& seen);
Findings check_configuration_file(const Examination& seen);

// What several checks share.

/// "could not be checked: WHY", as a note.
Finding unchecked(const std::string& failure);
/// A word for the shell, quoted where it has to be.
std::string shell_word(const std::string& word);
/// "natctl VERB" with the file and the directories that natctl was called with.
std::string natctl_command(const Invocation& invocation, const std::string& verb);
bool uses(const Site& site, Family family);
/// Where natctl-tunnel takes TCP, by this configuration: from clients of SOCKS5, and what the table leads to it.
std::set<Endpoint> tunnel_listeners(const Site& site);
/// The interface as the kernel shows it; nullptr: there is none. seen.devices has to be known.
const Device* find_device(const Examination& seen, const std::string& name);
const char* text(Family family);
/// The value of a sysctl that is one number; nullopt when there is no such sysctl.
std::optional<long long> number(const Examination& seen, const std::string& sysctl);
Finding set_sysctl(Grade grade, const std::string& name, const std::string& value, std::string what, std::string why);

} // namespace natctl::doctor
