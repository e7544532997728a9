// SPDX-License-Identifier: GPL-3.0-or-later
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/command_line.h"
#include "nftctl/cli/verbs.h"
#include "nftctl/plan/ranges.h"
#include "nftctl/plan/white_list.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

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
    }
    return "";
}

int list(const Options& options) {
    const auto site = read_site(options.config);
    if (!site) return exit_error;
    const auto facts = open_kernel(options, *site)->read_facts(*site);
    Json entries = Json::array();
    for (const auto family : {Family::ipv4, Family::ipv6})
        for (const auto& entry : white_entries(*site, facts, family)) {
            Json item{{"addresses", text(entry.range)}, {"from", word(entry.source)}};
            if (!entry.name.empty()) item["name"] = entry.name;
            if (!options.json)
                fmt::print("{:<44}{}{}{}\n", text(entry.range), word(entry.source), entry.name.empty() ? "" : " ",
                           entry.name);
            entries.push_back(std::move(item));
        }
    if (options.json) fmt::print("{}\n", Json{{"entries", entries}}.dump(2));
    return exit_done;
}

} // namespace

void add_whitelist(CommandLine& line) {
    auto action = std::make_shared<std::string>("list");
    auto& verb = line.verb("whitelist", "List what is never intercepted and never translated, and why.",
                           "natctl whitelist list --json", [&line, action] { return list(line.options()); });
    verb.add_option("action", *action, "what to do")->check(CLI::IsMember({"list"}))->capture_default_str();
}

} // namespace natctl
