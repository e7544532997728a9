// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <set>

#include "nftctl/doctor/checks.h"
#include "nftctl/site/each_link.h"
#include "nftctl/site/uses.h"

namespace natctl::doctor {

namespace {

bool listens(const std::vector<ListeningSocket>& sockets, const Endpoint& wanted) {
    return std::ranges::any_of(sockets, [&](const ListeningSocket& socket) {
        if (socket.endpoint.port != wanted.port) return false;
        const Address& address = socket.endpoint.address;
        const bool everywhere =
            address.is_unspecified() && (address.family() == wanted.address.family() || socket.dual);
        return everywhere || address.unmapped() == wanted.address;
    });
}

std::string start_command(const Examination& seen) {
    const Invocation usual;
    if (seen.invocation.config == usual.config && seen.invocation.run_dir == usual.run_dir)
        return "systemctl restart natctl-tunnel";
    return {};
}

std::string start_advice(const Examination& seen) {
    return "start it: natctl-tunnel --config " + shell_word(seen.invocation.config) + " --run-dir " +
           shell_word(seen.invocation.run_dir);
}

Finding about_tunnel(const Examination& seen, std::string what, std::string why) {
    Finding finding{.grade = Grade::error,
                    .what = std::move(what),
                    .why = std::move(why),
                    .command = start_command(seen),
                    .advice = {}};
    finding.advice = finding.command.empty() ? start_advice(seen) : "journalctl -u natctl-tunnel says why it ended";
    return finding;
}

std::string on_peers(const Site& site, const SocksLink& link) {
    std::string names;
    for_each_link<SocksLink>(site, [&](const Peer& peer, const SocksLink& other) {
        if (other.server == link.server) names += (names.empty() ? "" : ", ") + peer.name;
    });
    return names.empty() ? "of [intercept]" : "of peer " + names;
}

Finding about_proxy(const Site& site, const ProxyAnswer& answer) {
    const std::string proxy = "proxy " + answer.link.server.text() + " " + on_peers(site, answer.link);
    Finding finding{.grade = Grade::error, .what = {}, .why = "what goes by it is refused"};
    switch (answer.kind) {
    case ProxyAnswer::Kind::ready: finding.grade = Grade::ok; break;
    case ProxyAnswer::Kind::unreachable:
        finding.what = proxy + " cannot be reached: " + answer.cause;
        finding.advice = "start it (Xray, or natctl-tunnel at the other site), let the firewall there pass the port, "
                         "or mend the address in site.toml";
        break;
    case ProxyAnswer::Kind::silent:
        finding.what = proxy + " accepts connections and says nothing";
        finding.advice = "it hangs, or something else listens there: restart it, or mend the address in site.toml";
        break;
    case ProxyAnswer::Kind::no_socks5:
        finding.what = proxy + " does not speak SOCKS5";
        finding.advice = "another service has that port (a HTTP proxy?): mend the address in site.toml; a "
                         "natctl-tunnel hangs up like this when its `allow` does not name this router";
        break;
    case ProxyAnswer::Kind::wants_password:
        finding.what = proxy + (answer.link.credentials ? " accepts neither passwords nor guests"
                                                        : " wants a user and a password");
        finding.advice = answer.link.credentials
                             ? "take user and password_file out of site.toml, or configure them at the proxy"
                             : "write user and password_file beside socks5 in site.toml";
        break;
    case ProxyAnswer::Kind::wrong_password:
        finding.what = proxy + " refuses user " + answer.link.credentials->user + " or the password";
        finding.advice = "write the proxy's password to " + answer.link.credentials->password_file;
        break;
    case ProxyAnswer::Kind::no_secret:
        finding.what = "the password for " + proxy + " cannot be read: " + answer.cause;
        finding.command = "chmod 600 " + shell_word(answer.link.credentials->password_file);
        break;
    }
    return finding;
}

} // namespace

Findings check_tunnel(const Site& site, const Examination& seen) {
    if (!uses_tunnel(site)) return {};
    if (!seen.tunnel) return {unchecked(seen.tunnel.failure)};
    if (!*seen.tunnel)
        return {about_tunnel(seen, "natctl-tunnel does not run",
                             "flows by a proxy, and listeners of site.toml, are refused")};
    if (!seen.listening) return {unchecked(seen.listening.failure)};
    Findings findings;
    for (const Endpoint& endpoint : tunnel_listeners(site)) {
        if (listens(*seen.listening, endpoint)) continue;
        std::string why = "it was started with another site.toml, or in another network namespace";
        if (endpoint.address.family() == Family::ipv6) why += ", or while this machine had no IPv6";
        findings.push_back(about_tunnel(seen, "natctl-tunnel runs, but nothing listens on " + endpoint.text(), why));
    }
    return findings;
}

Findings check_tunnel_descriptors(const Examination& seen) {
    if (!seen.tunnel) return {unchecked(seen.tunnel.failure)};
    if (!*seen.tunnel) return {};
    constexpr std::size_t fewest = 8192;
    const Process& process = **seen.tunnel;
    const bool full = process.descriptors * 10 >= process.most_descriptors * 8;
    if (process.most_descriptors >= fewest && !full) return {};
    return {{.grade = Grade::warning,
             .what = "natctl-tunnel has " + std::to_string(process.descriptors) + " descriptors open and may open " +
                     std::to_string(process.most_descriptors),
             .why = "a flow takes two, those beyond wait",
             .command = {},
             .advice = "write LimitNOFILE=262144 to its unit (systemctl edit natctl-tunnel; elsewhere: ulimit -n "
                       "262144), and restart it"}};
}

Findings check_agent(const Examination& seen) {
    if (!seen.agent) return {unchecked(seen.agent.failure)};
    if (*seen.agent) return {};
    return {{.grade = Grade::note,
             .what = "natctl-agent does not run",
             .why = "nobody applies site.toml again when addresses change or another firewall flushes the tables",
             .command = "systemctl enable --now natctl-agent"}};
}

Findings check_proxies(const Site& site, const Examination& seen) {
    if (!seen.proxies) return {unchecked(seen.proxies.failure)};
    Findings findings;
    for (const ProxyAnswer& answer : *seen.proxies)
        if (answer.kind != ProxyAnswer::Kind::ready) findings.push_back(about_proxy(site, answer));
    return findings;
}

Findings check_proxy_exposure(const Site& site, const Examination& seen) {
    if (!seen.listening) return {unchecked(seen.listening.failure)};
    std::set<std::uint16_t> reported;
    Findings findings;
    for_each_link<SocksLink>(site, [&](const Peer& peer, const SocksLink& link) {
        if (!link.server.address.is_loopback()) return;
        const auto open = std::ranges::find_if(*seen.listening, [&](const ListeningSocket& socket) {
            return socket.endpoint.port == link.server.port && socket.endpoint.address.is_unspecified();
        });
        if (open == seen.listening->end() || !reported.insert(link.server.port).second) return;
        findings.push_back(
            {.grade = Grade::warning,
             .what = "the proxy of peer " + peer.name + " listens on every address, " + open->endpoint.text(),
             .why =
                 "whoever reaches this machine can use it: natctl needs it on " + link.server.address.text() + " alone",
             .advice =
                 "write \"listen\": \"" + link.server.address.text() + "\" to that inbound of Xray, and restart it"});
    });
    return findings;
}

Findings check_listeners(const Site& site, const Examination&) {
    Findings findings;
    for (const ProxyListener& listener : site.tunnel.listeners) {
        if (!listener.listen.address.is_unspecified()) continue;
        findings.push_back({.grade = listener.allow.empty() ? Grade::warning : Grade::note,
                            .what = "listener " + listener.listen.text() + " of site.toml is open on every interface",
                            .why = listener.allow.empty() ? "passwords go over the wire as they are, and "
                                                            "anybody on any network may try them"
                                                          : "its list of sources is all that guards it",
                            .advice = "name the address of the interface that peers come by in `listen`"});
    }
    return findings;
}

Findings check_names(const Site& site, const Examination& seen) {
    if (site.white_list.endpoints.empty()) return {};
    if (!seen.unresolved) return {unchecked(seen.unresolved.failure)};
    Findings findings;
    for (const auto& [name, cause] : *seen.unresolved)
        findings.push_back({.grade = Grade::warning,
                            .what = "name " + name + " of the white list does not resolve: " + cause,
                            .why = "traffic to an address that is not on the white list may be intercepted",
                            .advice = "mend the name in site.toml, or the resolver (getent ahosts " + name +
                                      " shows what it says), or write the address to /etc/hosts"});
    return findings;
}

} // namespace natctl::doctor
