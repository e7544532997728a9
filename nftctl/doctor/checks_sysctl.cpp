// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <charconv>
#include <set>
#include <sstream>

#include "nftctl/doctor/checks.h"
#include "nftctl/plan/compile.h"

namespace natctl::doctor {

namespace {

std::vector<std::string> interfaces_of(const Site& site) {
    auto names = site.lan;
    for (auto& name : link_interfaces(site)) names.push_back(std::move(name));
    return names;
}

/// "1-5,7" as ranges (net.ipv4.ip_local_reserved_ports).
bool reserves(const std::string& list, std::uint16_t port) {
    std::istringstream input(list);
    for (std::string item; std::getline(input, item, ',');) {
        unsigned first = 0;
        const auto* const end = item.data() + item.size();
        const auto result = std::from_chars(item.data(), end, first);
        if (result.ec != std::errc()) continue;
        unsigned last = first;
        if (result.ptr != end && *result.ptr == '-') std::from_chars(result.ptr + 1, end, last);
        if (port >= first && port <= last) return true;
    }
    return false;
}

std::set<std::uint16_t> listener_ports(const Site& site) {
    std::set<std::uint16_t> ports;
    for (const Endpoint& listener : tunnel_listeners(site)) ports.insert(listener.port);
    return ports;
}

} // namespace

Findings check_forwarding4(const Site& site, const Examination& seen) {
    if (!uses(site, Family::ipv4)) return {};
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    if (number(seen, "net.ipv4.ip_forward").value_or(0) != 0) return {};
    return {set_sysctl(Grade::error, "net.ipv4.ip_forward", "1", "this machine does not forward IPv4",
                       "hosts reach neither the peers nor the Internet through it")};
}

Findings check_forwarding6(const Site& site, const Examination& seen) {
    if (!uses(site, Family::ipv6)) return {};
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    if (number(seen, "net.ipv6.conf.all.forwarding").value_or(0) != 0) return {};
    Finding finding = set_sysctl(Grade::error, "net.ipv6.conf.all.forwarding", "1",
                                 "this machine does not forward IPv6", "hosts do not reach the peers' IPv6 prefixes");
    finding.advice = "where the WAN gets its address by router advertisement, set accept_ra=2 for it first";
    return {finding};
}

Findings check_interface_forwarding(const Site& site, const Examination& seen) {
    if (!uses(site, Family::ipv4)) return {};
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    // Writing ip_forward sets all of them, so that they say nothing of their own while it is off.
    if (number(seen, "net.ipv4.ip_forward").value_or(0) == 0) return {};
    Findings findings;
    for (const auto& name : interfaces_of(site)) {
        const std::string sysctl = interface_sysctl(Family::ipv4, name, "forwarding");
        if (number(seen, sysctl).value_or(1) == 0)
            findings.push_back(set_sysctl(Grade::error, sysctl, "1", name + " does not forward IPv4",
                                          "packets that arrive there go no further"));
    }
    return findings;
}

Findings check_reverse_path(const Site& site, const Examination& seen) {
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    constexpr long long strict = 1;
    constexpr long long loose = 2;
    const auto all = number(seen, "net.ipv4.conf.all.rp_filter").value_or(0);
    std::set<std::string> reported;
    Findings findings;
    for (const Peer& peer : site.peers) {
        // With one link the way back is the way in. With several, packets that still come by another one are dropped.
        const auto is_dev = [](const Link& link) { return std::holds_alternative<DevLink>(link); };
        if (std::ranges::count_if(peer.links, is_dev) < 2) continue;
        for (const Link& link : peer.links) {
            if (!is_dev(link)) continue;
            const std::string& name = std::get<DevLink>(link).dev;
            const std::string sysctl = interface_sysctl(Family::ipv4, name, "rp_filter");
            // The kernel takes the larger of the two.
            const auto own = number(seen, sysctl);
            if (!own || std::max(all, *own) != strict || !reported.insert(name).second) continue;
            findings.push_back(set_sysctl(Grade::warning, sysctl, std::to_string(loose),
                                          "the reverse path filter of " + name + " is strict",
                                          "peer " + peer.name +
                                              " has several links: what still comes by the one that is not preferred "
                                              "is dropped, so that flows break when links change"));
        }
    }
    return findings;
}

Findings check_route_localnet(const Site& site, const Examination& seen) {
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    Findings findings;
    for (const auto& name : interfaces_of(site)) {
        // The kernel takes either of the two.
        for (const std::string& sysctl :
             {interface_sysctl(Family::ipv4, name, "route_localnet"), std::string("net.ipv4.conf.all.route_localnet")})
            if (number(seen, sysctl).value_or(0) != 0)
                findings.push_back(set_sysctl(Grade::warning, sysctl, "0",
                                              "hosts at " + name + " can send to 127.0.0.1 of this machine",
                                              "proxies and the tunnel's transparent listener on 127.0.0.1 are open to "
                                              "them; natctl does not need route_localnet"));
    }
    return findings;
}

Findings check_bridge_netfilter(const Site& site, const Examination& seen) {
    if (!seen.devices) return {unchecked(seen.devices.failure)};
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    Findings findings;
    for (const auto& name : site.lan) {
        const Device* const device = find_device(seen, name);
        if (device == nullptr || device->kind != "bridge") continue;
        for (const Family family : {Family::ipv4, Family::ipv6}) {
            const std::string sysctl =
                std::string("net.bridge.bridge-nf-call-") + (family == Family::ipv4 ? "iptables" : "ip6tables");
            if (!uses(site, family) || number(seen, sysctl).value_or(0) == 0) continue;
            findings.push_back(set_sysctl(
                Grade::error, sysctl, "0", "packets bridged by " + name + " pass the " + text(family) + " tables",
                "they pass natctl's table twice: the tunnel and hosts that use their own virtual names break"));
        }
        if (!findings.empty()) break;
    }
    return findings;
}

Findings check_port_range(const Site& site, const Examination& seen) {
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    const auto range = seen.sysctls->find("net.ipv4.ip_local_port_range");
    if (range == seen.sysctls->end()) return {};
    std::istringstream input(range->second);
    unsigned first = 0;
    unsigned last = 0;
    if (!(input >> first >> last)) return {};
    const auto list = seen.sysctls->find("net.ipv4.ip_local_reserved_ports");
    std::string reserved = list == seen.sysctls->end() ? "" : list->second;
    std::string taken;
    std::string wanted = reserved;
    for (const std::uint16_t port : listener_ports(site)) {
        if (port < first || port > last || reserves(reserved, port)) continue;
        taken += (taken.empty() ? "" : ", ") + std::to_string(port);
        wanted += (wanted.empty() ? "" : ",") + std::to_string(port);
    }
    if (taken.empty()) return {};
    return {set_sysctl(Grade::warning, "net.ipv4.ip_local_reserved_ports", wanted,
                       "port " + taken + " of natctl-tunnel lies in the range of outgoing connections (" +
                           std::to_string(first) + " to " + std::to_string(last) + ")",
                       "while another program's connection has it, natctl-tunnel cannot start")};
}

Findings check_conntrack_room(const Examination& seen) {
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    const auto count = number(seen, "net.netfilter.nf_conntrack_count");
    const auto most = number(seen, "net.netfilter.nf_conntrack_max");
    if (!count || !most || *most <= 0 || *count * 10 < *most * 8) return {};
    const bool full = *count * 100 >= *most * 95;
    return {set_sysctl(full ? Grade::error : Grade::warning, "net.netfilter.nf_conntrack_max",
                       std::to_string(*most * 4),
                       std::to_string(*count) + " of at most " + std::to_string(*most) + " connections are in use",
                       "when the table is full, packets of new connections are dropped")};
}

Findings check_conntrack_timeout(const Examination& seen) {
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    // Below two hours the kernel forgets connections before TCP's keepalive (RFC 9293, 3.8.4) would prove them alive.
    constexpr long long two_hours = 7200;
    constexpr auto name = "net.netfilter.nf_conntrack_tcp_timeout_established";
    const auto timeout = number(seen, name);
    if (!timeout || *timeout > two_hours) return {};
    return {set_sysctl(Grade::warning, name, "86400",
                       "TCP connections that are idle for " + std::to_string(*timeout) + " s are forgotten",
                       "the translation of an open connection goes with it, and the connection hangs")};
}

Findings check_conntrack_accounting(const Examination& seen) {
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    if (number(seen, "net.netfilter.nf_conntrack_acct").value_or(1) != 0) return {};
    return {set_sysctl(Grade::note, "net.netfilter.nf_conntrack_acct", "1", "connections are not accounted",
                       "their bytes and packets are not known; that is all")};
}

Findings check_open_files(const Examination& seen) {
    if (!seen.sysctls) return {unchecked(seen.sysctls.failure)};
    const auto files = seen.sysctls->find("fs.file-nr");
    if (files == seen.sysctls->end()) return {};
    std::istringstream input(files->second);
    unsigned long long open = 0;
    unsigned long long unused = 0;
    unsigned long long most = 0;
    if (!(input >> open >> unused >> most) || most == 0 || open < most / 10 * 8) return {};
    return {set_sysctl(Grade::warning, "fs.file-max", std::to_string(most * 4),
                       std::to_string(open) + " of at most " + std::to_string(most) + " files are open",
                       "at the limit natctl-tunnel can accept no more connections, and other programs fail")};
}

} // namespace natctl::doctor
