// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/agent_client.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/tunnel_status.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/diff.h"
#include "nftctl/site/link_text.h"
#include "nftctl/site/uses.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

std::string joined(const std::vector<Prefix>& prefixes) {
    std::string result;
    for (const auto& prefix : prefixes) result += (result.empty() ? "" : ", ") + prefix.text();
    return result;
}

/// "applied": as site.toml says; "changed": something of ours is there but not that; "absent": nothing is.
const char* state_of(const Plan& actual, const Plan& wanted) {
    if (actual == Plan{}) return "absent";
    return diff(actual, wanted).empty() ? "applied" : "changed";
}

/// nullopt when nothing is on trial.
std::optional<TrialState> trial_now(const Options& options) {
    const auto trial = read_trial(StatePaths(options.state_dir));
    if (!trial) return std::nullopt;
    return state_of(*trial, boot_clock(), boot_id());
}

std::string words_for(const TrialState& trial, bool watched) {
    if (trial.restarted)
        return "the configuration on trial ended with the restart of this machine: `natctl rollback` or a start of "
               "natctl-agent returns to the confirmed one";
    if (!watched)
        return "on trial, and the process that would end it is gone: `natctl confirm` keeps it, `natctl rollback` "
               "ends it";
    return fmt::format("on trial, the former state comes back in {} s: `natctl confirm` keeps this one, "
                       "`natctl rollback` ends it now",
                       trial.left.count());
}

/// Null: it does not run, or may not be asked.
Json agent_status(const Options& options) {
    auto agent = AgentClient::connect(options.run_dir);
    const auto answer = agent ? agent->ask({{"do", "status"}}) : std::nullopt;
    return answer && answer->value("ok", false) ? answer->at("status") : Json(nullptr);
}

int run(const Options& options) {
    const auto site = read_site(options.config);
    if (!site) return exit_error;
    const auto kernel = open_kernel(options, *site);
    const auto facts = kernel->read_facts(*site);
    const std::string state = state_of(kernel->read().plan, compile(*site, facts));
    const auto hints = advice(*site, facts);
    const auto trial = trial_now(options);
    const bool watched = trial && trial_is_watched(options.run_dir);
    const auto tunnel = read_tunnel_status(options.run_dir);
    const auto agent = agent_status(options);

    if (options.json) {
        Json peers = Json::array();
        for (const auto& peer : site->peers) {
            const auto* link = usable_link(peer, facts);
            peers.push_back({{"name", peer.name},
                             {"virtual", joined(peer.virtual_prefixes)},
                             {"link", link ? Json(link_text(*link)) : Json(nullptr)}});
        }
        Json maps = Json::array();
        for (const auto& map : site->maps)
            maps.push_back({{"virtual", map.virtual_prefix.text()}, {"real", map.real_prefix.text()}});
        for (const auto& map : site->embedding_maps)
            maps.push_back({{"virtual", map.virtual_prefix.text()}, {"real", joined(map.real_prefixes)}});
        Json answer{{"site", site->name}, {"state", state}, {"maps", maps}, {"peers", peers}, {"advice", hints}};
        answer["agent"] = agent;
        answer["tunnel"] = tunnel.value_or(nullptr);
        answer["trial"] = nullptr;
        if (trial)
            answer["trial"] = {
                {"seconds_left", trial->left.count()}, {"restarted", trial->restarted}, {"watched", watched}};
        fmt::print("{}\n", answer.dump(2));
        return exit_done;
    }
    const std::string words = state == "applied" ? "in place, as site.toml says"
                              : state == "changed"
                                  ? "in place, but not as site.toml says: `natctl plan` shows the difference"
                                  : "not in place: `natctl apply` makes it";
    fmt::print("site {}: {}\n", site->name, words);
    if (trial) fmt::print("  trial {}\n", words_for(*trial, watched));
    constexpr std::size_t most_maps = 20;
    for (std::size_t i = 0; i < site->maps.size() && i < most_maps; ++i)
        fmt::print("  map   {} is {}\n", site->maps[i].virtual_prefix.text(), site->maps[i].real_prefix.text());
    if (site->maps.size() > most_maps) fmt::print("  map   and {} more\n", site->maps.size() - most_maps);
    for (const auto& map : site->embedding_maps)
        fmt::print("  map   {} carries {}\n", map.virtual_prefix.text(), joined(map.real_prefixes));
    for (const auto& peer : site->peers) {
        const auto* link = usable_link(peer, facts);
        fmt::print("  peer  {} {} by {}\n", peer.name, joined(peer.virtual_prefixes),
                   link ? link_text(*link) : "no link: refused at once");
    }
    if (!agent.is_null())
        for (const auto& part : agent_lines(agent)) fmt::print("  agent {}\n", part);
    if (tunnel)
        for (const auto& part : tunnel_lines(*tunnel)) fmt::print("  tunnel {}\n", part);
    else if (uses_tunnel(*site))
        fmt::print("  tunnel does not run, or is of another release: systemctl start natctl-tunnel\n");
    for (const auto& hint : hints) fmt::print("  note  {}\n", hint);
    return exit_done;
}

} // namespace

int run_status(const CommandLine& line) { return run(line.options()); }

void add_status(CommandLine& line) {
    line.site_verb("status", "Say in words what is in place and which links are used.", "natctl status --json",
                   [&line] { return run_status(line); });
}

} // namespace natctl
