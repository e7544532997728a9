// SPDX-License-Identifier: GPL-3.0-or-later
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/by_agent.h"
#include "nftctl/cli/command_line.h"
#include "nftctl/cli/print_change.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/kernel/resolve.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/kernel/white_words.h"
#include "nftctl/plan/ranges.h"
#include "nftctl/plan/white_list.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

/// Seconds: 24 days. Kernel ipsets have no longer lifetimes (IPSET_MAX_TIMEOUT in linux/netfilter/ipset/ip_set.h).
constexpr int longest_timeout = 24 * 24 * 60 * 60;

struct Request {
    std::string action = "list";
    std::vector<std::string> words;
    /// Seconds; 0: none.
    int timeout = 0;
};

std::string text(const AddressRange& range) {
    if (range.first == range.last) return range.first.text();
    const auto prefix = as_prefix(range);
    return prefix ? prefix->text() : range.first.text() + "-" + range.last.text();
}

const char* word(WhiteSource source) {
    switch (source) {
    case WhiteSource::prefix: return "prefix";
    case WhiteSource::endpoint: return "endpoint";
    case WhiteSource::interface: return "interface";
    case WhiteSource::private_network: return "private";
    case WhiteSource::run_time: return "run time";
    }
    return "";
}

int list(const Options& options) {
    const auto site = read_site(options.config);
    if (!site) return exit_error;
    const auto facts = open_kernel(options, *site)->read_facts(*site);
    Json entries = Json::array();
    const MapParts maps(*site);
    for (const auto family : {Family::ipv4, Family::ipv6})
        for (const auto& entry : white_entries(*site, maps, facts, family)) {
            Json item{{"addresses", text(entry.range)}, {"from", word(entry.source)}};
            auto line = fmt::format("{:<44}{}", text(entry.range), word(entry.source));
            if (!entry.name.empty()) {
                item["name"] = entry.name;
                line += " " + entry.name;
            }
            if (entry.lifetime) {
                const auto left = std::chrono::ceil<std::chrono::seconds>(*entry.lifetime).count();
                item["seconds_left"] = left;
                line += fmt::format(", {} s left", left);
            }
            if (!options.json) fmt::print("{}\n", line);
            entries.push_back(std::move(item));
        }
    if (options.json) fmt::print("{}\n", Json{{"entries", entries}}.dump(2));
    return exit_done;
}

/// By the agent, or by this program.
int change(const Options& options, const Json& request, const EditRunTimeList& edit) {
    if (const auto answer = by_agent(options, request)) {
        print_changed(options, *answer);
        return exit_done;
    }
    const auto change = change_run_time_list(options, edit);
    if (!change) {
        fmt::print(stderr, "natctl: cannot change the white list: nothing is applied, `natctl apply` comes first\n");
        return exit_error;
    }
    print_changed(options, *change);
    return exit_done;
}

/// As the agent wants it.
Json request_for(const Request& request, const std::vector<RunTimeRecord>& records) {
    Json result{{"do", "whitelist"}, {"add", request.words}};
    for (const auto& record : records)
        if (!record.name.empty()) result["names"][record.name].push_back(record.prefix.network().text());
    if (request.timeout != 0) result["seconds"] = request.timeout;
    return result;
}

int run(const Options& options, const Request& request) {
    if (request.action == "list") return list(options);
    std::vector<WhiteWord> words;
    for (const auto& item : request.words) words.push_back(white_word(item));
    if (request.action == "del")
        return change(options, {{"do", "whitelist"}, {"del", request.words}},
                      [&](const Site& site, std::vector<RunTimeRecord> now) {
                          return without_deleted(site, std::move(now), words);
                      });
    std::optional<std::chrono::nanoseconds> deadline;
    if (request.timeout != 0) deadline = boot_clock() + std::chrono::seconds(request.timeout);
    // Before the lock: looking names up takes a while.
    const auto records = records_for(words, deadline, look_up_host);
    return change(options, request_for(request, records), [&](const Site& site, std::vector<RunTimeRecord> now) {
        return with_added(std::move(now), spared(site, records));
    });
}

/// "30s", "5m", "2h" or "1d" as seconds.
CLI::Validator timeout_text() {
    const std::map<std::string, int> units{{"s", 1}, {"m", 60}, {"h", 60 * 60}, {"d", 24 * 60 * 60}};
    const CLI::Validator seconds =
        CLI::AsNumberWithUnit(units, CLI::AsNumberWithUnit::UNIT_REQUIRED) & CLI::Range(1, longest_timeout);
    return CLI::Validator(
        [seconds](std::string& text) {
            const std::string asked = text;
            if (seconds(text).empty()) return std::string();
            return fmt::format("\"{}\" is no time from 1s to 24d: write 30s, 5m, 2h or 1d", asked);
        },
        "TIME");
}

/// What CLI11 cannot say about one option alone.
void check(const Request& request) {
    if (request.action == "list" && !request.words.empty())
        throw CLI::ValidationError("list", "takes no addresses: it lists everything");
    if (request.action != "list" && request.words.empty())
        throw CLI::ValidationError(request.action, "what? Give addresses, prefixes or names of hosts");
    if (request.action != "add" && request.timeout != 0)
        throw CLI::ValidationError("--timeout", "goes with `natctl whitelist add`");
}

} // namespace

void add_whitelist(CommandLine& line) {
    const auto request = std::make_shared<Request>();
    auto& verb =
        line.verb("whitelist", "List what is never intercepted and never translated, and why; add to it at run time.",
                  "natctl whitelist list --json\n"
                  "  natctl whitelist add 203.0.113.0/24 proxy.example.net --timeout 2h\n"
                  "  natctl whitelist del 203.0.113.0/24",
                  [&line, request] { return run(line.options(), *request); });
    verb.add_option("action", request->action, "what to do")
        ->check(CLI::IsMember({"list", "add", "del"}))
        ->capture_default_str();
    verb.add_option("words", request->words, "prefixes, addresses, and names of hosts");
    verb.add_option("--timeout", request->timeout, "after which what is added goes by itself: 30s, 5m, 2h, 1d")
        ->transform(timeout_text())
        ->type_name("TIME");
    verb.parse_complete_callback([request] { check(*request); });
}

} // namespace natctl
