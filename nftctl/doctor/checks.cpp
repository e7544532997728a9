// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/doctor/checks.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <variant>

#include "nftctl/site/uses.h"

namespace natctl::doctor {

namespace {

struct Check {
    /// Stable, for scripts.
    const char* name;
    /// What is said when nothing is wrong.
    const char* fine;
    std::variant<SiteCheck, MachineCheck> run;
};

const auto& all_checks() {
    static const std::array checks{
        Check{"configuration", "site.toml can be used", check_configuration},
        Check{"configuration-file", "only its owner may write site.toml", check_configuration_file},
        Check{"privileges", "natctl may read and change the kernel's tables", check_privileges},
        Check{"kernel-features", "the kernel has all that the table needs", check_features},
        Check{"ipv6", "IPv6 is on where maps need it", check_ipv6},
        Check{"forwarding4", "IPv4 is forwarded", check_forwarding4},
        Check{"forwarding6", "IPv6 is forwarded", check_forwarding6},
        Check{"interface-forwarding", "every LAN and link forwards", check_interface_forwarding},
        Check{"reverse-path", "the reverse path filter fits the links", check_reverse_path},
        Check{"route-localnet", "hosts of the LAN cannot reach 127.0.0.1", check_route_localnet},
        Check{"bridge-netfilter", "bridged packets do not pass the table twice", check_bridge_netfilter},
        Check{"port-range", "no outgoing connection can take a listener's port", check_port_range},
        Check{"conntrack-room", "there is room for more connections", check_conntrack_room},
        Check{"conntrack-timeout", "idle connections are kept", check_conntrack_timeout},
        Check{"conntrack-accounting", "connections are accounted", check_conntrack_accounting},
        Check{"open-files", "there is room for more open files", check_open_files},
        Check{"lan", "every LAN interface is there and up", check_lan},
        Check{"lan-address", "the router has an address in a real prefix", check_lan_address},
        Check{"links", "every link interface is there and up", check_links},
        Check{"gateways", "every gateway can be reached", check_gateways},
        Check{"peers", "every peer has a link that can be used", check_peers},
        Check{"outside-address", "no address of the outside lies in a real prefix", check_outside_addresses},
        Check{"own-virtual", "no interface has one of the site's own virtual addresses", check_own_virtual},
        Check{"duplicate-site", "no interface has an address of a peer", check_duplicate_site},
        Check{"mtu", "links carry packets of the usual size", check_mtu},
        Check{"wireguard", "WireGuard lets the peers' virtual prefixes through", check_wireguard},
        Check{"windows", "Windows hosts can use the virtual prefixes", check_windows},
        Check{"table", "the table is as site.toml says", check_table},
        Check{"policy-rules", "the policy rules are as site.toml says", check_policy_rules},
        Check{"routes", "the routes are as site.toml says", check_routes},
        Check{"foreign-rules", "nobody else has policy rules among natctl's", check_rules_among_ours},
        Check{"rules-before", "no policy rule before natctl's catches the peers' prefixes", check_rules_before_ours},
        Check{"rules-by-mark", "no policy rule of others catches natctl's marks", check_rules_by_mark},
        Check{"foreign-routes", "nobody else has routes in natctl's tables", check_routes_among_ours},
        Check{"firewall", "no other firewall drops the flows between the sites", check_filters},
        Check{"foreign-nat", "no other NAT translates the flows between the sites", check_nat},
        Check{"marks", "nobody else uses natctl's bits of the mark", check_marks},
        Check{"legacy-tables", "there are no tables of the old iptables", check_legacy_tables},
        Check{"tunnel", "natctl-tunnel runs where it is needed", check_tunnel},
        Check{"tunnel-descriptors", "natctl-tunnel may open enough descriptors", check_tunnel_descriptors},
        Check{"agent", "natctl-agent runs", check_agent},
        Check{"proxies", "every proxy answers", check_proxies},
        Check{"proxy-exposure", "proxies on 127.0.0.1 are not open to others", check_proxy_exposure},
        Check{"listeners", "no listener of site.toml is open to every interface", check_listeners},
        Check{"names", "the names of the white list resolve", check_names},
        Check{"clock", "the clock is right", check_clock},
        Check{"directories", "what natctl keeps can be written", check_directories},
    };
    return checks;
}

} // namespace

const char* text(Grade grade) {
    switch (grade) {
    case Grade::ok: return "ok";
    case Grade::note: return "note";
    case Grade::warning: return "warning";
    case Grade::error: return "error";
    }
    return "";
}

Findings diagnose(const Site* site, const Examination& seen) {
    Findings all;
    for (const Check& check : all_checks()) {
        Findings found;
        if (const auto* of_site = std::get_if<SiteCheck>(&check.run)) {
            if (site == nullptr) continue;
            found = (*of_site)(*site, seen);
        } else {
            found = std::get<MachineCheck>(check.run)(seen);
        }
        if (found.empty()) found.push_back({.grade = Grade::ok, .what = check.fine});
        for (Finding& finding : found) {
            finding.check = check.name;
            all.push_back(std::move(finding));
        }
    }
    return all;
}

std::size_t count_checks() { return all_checks().size(); }

Finding unchecked(const std::string& failure) {
    return {.grade = Grade::note, .what = "could not be checked: " + failure};
}

std::string shell_word(const std::string& word) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@,=";
    if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
    std::string quoted = "'";
    for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string natctl_command(const Invocation& invocation, const std::string& verb) {
    const Invocation usual;
    std::string command = "natctl " + verb;
    if (invocation.config != usual.config) command += " " + shell_word(invocation.config);
    if (invocation.run_dir != usual.run_dir) command += " --run-dir " + shell_word(invocation.run_dir);
    if (invocation.state_dir != usual.state_dir) command += " --state-dir " + shell_word(invocation.state_dir);
    return command;
}

bool uses(const Site& site, Family family) {
    return (family == Family::ipv6 && !site.embedding_maps.empty()) ||
           std::ranges::any_of(site.maps, [&](const Map& map) { return map.virtual_prefix.family() == family; }) ||
           std::ranges::any_of(site.peers, [&](const Peer& peer) {
               return std::ranges::any_of(peer.virtual_prefixes, [&](const Prefix& p) { return p.family() == family; });
           });
}

const Device* find_device(const Examination& seen, const std::string& name) {
    const auto found = std::ranges::find(*seen.devices, name, &Device::name);
    return found == seen.devices->end() ? nullptr : &*found;
}

std::set<Endpoint> tunnel_listeners(const Site& site) {
    std::set<Endpoint> listeners;
    if (uses_tunnel(site)) listeners.insert({*Address::parse("127.0.0.1"), site.tunnel.port});
    if (redirects(site)) listeners.insert({*Address::parse("0.0.0.0"), site.tunnel.redirect_port});
    if (!site.embedding_maps.empty()) listeners.insert({*Address::parse("::1"), site.tunnel.embedded_port});
    for (const ProxyListener& listener : site.tunnel.listeners) listeners.insert(listener.listen);
    return listeners;
}

std::string interface_sysctl(Family family, const std::string& interface, const std::string& leaf) {
    std::string name = std::string(family == Family::ipv4 ? "net.ipv4" : "net.ipv6") + ".conf";
    if (interface.find('.') == std::string::npos) return name + "." + interface + "." + leaf;
    std::ranges::replace(name, '.', '/');
    return name + "/" + interface + "/" + leaf;
}

const char* text(Family family) { return family == Family::ipv4 ? "IPv4" : "IPv6"; }

std::optional<long long> number(const Examination& seen, const std::string& sysctl) {
    const auto found = seen.sysctls->find(sysctl);
    if (found == seen.sysctls->end()) return std::nullopt;
    long long value = 0;
    const auto& written = found->second;
    const auto result = std::from_chars(written.data(), written.data() + written.size(), value);
    return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}

Finding set_sysctl(Grade grade, const std::string& name, const std::string& value, std::string what, std::string why) {
    return {.grade = grade,
            .what = std::move(what),
            .why = std::move(why),
            .command = "sysctl -w " + name + "=" + shell_word(value)};
}

} // namespace natctl::doctor
