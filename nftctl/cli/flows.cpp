// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "nftctl/base/error.h"
#include "nftctl/cli/by_agent.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/flow_text.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/find_flows.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/plan/live_flow_json.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

struct FlowOptions {
    FlowSelection selection;
    std::string protocol;
    std::uint16_t port = 0;
    /// Seconds between two looks; 0: one look.
    double watch = 0;
};

bool is_off(const std::string& name) {
    std::ifstream file("/proc/sys/net/netfilter/" + name);
    return file.get() == '0';
}

void say_what_is_off() {
    const auto say = [](const char* what, const std::string& name) {
        if (is_off(name))
            fmt::print(stderr, "note: {} not kept; for new flows switch it on with: sysctl -w net.netfilter.{}=1\n",
                       what, name);
    };
    say("bytes are", "nf_conntrack_acct");
    say("the age is", "nf_conntrack_timestamp");
}

void print(const Json& flows, bool json, bool watching) {
    if (json)
        fmt::print("{}\n", flow_json(flows, !watching));
    else if (watching && isatty(STDOUT_FILENO) != 0)
        // Home, clear the screen.
        fmt::print("\x1b[H\x1b[2J{}", flow_table(flows));
    else
        fmt::print("{}{}", flow_table(flows), watching ? "\n" : "");
    std::fflush(stdout);
}

/// Prints until SIGINT or SIGTERM.
void watch(double interval, const std::function<void()>& print_once) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGINT, SIGTERM}) sigaddset(&signals, number);
    if (sigprocmask(SIG_BLOCK, &signals, nullptr) < 0) throw_errno("block", "signals");
    timespec pause{};
    pause.tv_sec = static_cast<time_t>(interval);
    pause.tv_nsec = static_cast<long>((interval - std::floor(interval)) * 1e9);
    do {
        print_once();
        // EINTR: stopped and continued.
    } while (sigtimedwait(&signals, nullptr, &pause) < 0 && (errno == EAGAIN || errno == EINTR));
}

/// Of the agent, for those who may not read the kernel's connections themselves.
Json ask_for_flows(AgentClient& agent, const FlowSelection& wanted) {
    constexpr int most = 100'000;
    Json request{{"do", "flows"}, {"limit", most}};
    if (!wanted.peer.empty()) request["peer"] = wanted.peer;
    if (!wanted.host.empty()) request["host"] = wanted.host;
    if (wanted.protocol) request["protocol"] = protocol_name(*wanted.protocol);
    if (wanted.port) request["port"] = *wanted.port;
    auto answer = ask(agent, request);
    const auto count = answer.value("count", std::size_t{0});
    if (count > most) fmt::print(stderr, "note: here are {} of {} flows\n", most, count);
    return std::move(answer["flows"]);
}

int run(const Options& options, FlowOptions wanted) {
    if (!wanted.protocol.empty()) {
        wanted.selection.protocol = protocol_number(wanted.protocol);
        if (!wanted.selection.protocol) {
            fmt::print(stderr, "natctl: there is no protocol {}; write tcp, udp, icmp, icmpv6, sctp or a number\n",
                       wanted.protocol);
            return exit_usage;
        }
    }
    if (wanted.port != 0) wanted.selection.port = wanted.port;
    const auto site = read_site(options.config);
    if (!site) return exit_error;
    const auto& peer = wanted.selection.peer;
    if (!peer.empty() && std::ranges::find(site->peers, peer, &Peer::name) == site->peers.end()) {
        fmt::print(stderr, "natctl: there is no peer {} in {}; `natctl status` names them\n", peer, options.config);
        return exit_error;
    }
    auto agent = ::geteuid() != 0 ? find_agent(options) : std::nullopt;
    std::unique_ptr<Kernel> kernel;
    std::optional<LiveFlows> flows;
    if (!agent) {
        kernel = make_linux_kernel();
        flows.emplace(*site);
    }
    const bool watching = wanted.watch > 0;
    if (!options.json) say_what_is_off();
    const auto once = [&] {
        auto list = agent ? ask_for_flows(*agent, wanted.selection)
                          : json_of(find_flows(*kernel, *flows, wanted.selection), std::chrono::system_clock::now());
        print(list, options.json, watching);
    };
    if (watching)
        watch(wanted.watch, once);
    else
        once();
    return exit_done;
}

} // namespace

void add_flows(CommandLine& line) {
    const auto wanted = std::make_shared<FlowOptions>();
    auto& verb = line.site_verb("flows", "List the open flows with peers, with real and virtual addresses.",
                                "natctl flows --peer b --proto tcp --watch",
                                [&line, wanted] { return run(line.options(), *wanted); });
    verb.add_option("--peer", wanted->selection.peer, "only with this peer");
    verb.add_option("--host", wanted->selection.host, "only of this address, real or virtual, or name of a host");
    verb.add_option("--proto", wanted->protocol, "only this protocol: tcp, udp, icmp, icmpv6, or a number");
    verb.add_option("--port", wanted->port, "only with this port at either end")->check(CLI::Range(1, 65535));
    verb.add_option("--watch", wanted->watch, "print again every so many seconds (2), until interrupted")
        ->expected(0, 1)
        ->default_str("2")
        ->check(CLI::Range(0.1, 86400.0));
}

} // namespace natctl
