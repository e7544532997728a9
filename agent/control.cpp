// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/control.h"

#include <algorithm>
#include <filesystem>
#include <span>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "nftctl/plan/live_flow_json.h"
#include "nftctl/plan/render.h"

namespace natctl::control {

namespace {

using Json = nlohmann::ordered_json;

std::string line(const Json& json) {
    // What the system says need not be UTF-8.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json json_of(const JournalEntry& entry) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(entry.at);
    return {{"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)))},
            {"weight", text(entry.weight)},
            {"text", entry.text}};
}

const char* text(LinkHealth::Standing standing) {
    switch (standing) {
    case LinkHealth::Standing::used: return "used";
    case LinkHealth::Standing::standby: return "standby";
    case LinkHealth::Standing::held: return "held";
    case LinkHealth::Standing::down: return "down";
    }
    return "";
}

Json json_of(const LinkHealth::State& link) {
    return {{"peer", link.link.peer},
            {"place", link.link.place},
            {"link", link.text},
            {"standing", text(link.standing)},
            {"seconds", link.since ? Json(link.since->count()) : Json(nullptr)},
            {"cause", link.cause.empty() ? Json(nullptr) : Json(link.cause)}};
}

Json json_of(const Child::State& program) {
    return {{"name", program.name},
            {"process", program.process ? Json(*program.process) : Json(nullptr)},
            {"restarts", program.restarts}};
}

Json json_of(const NameBook::State& name) {
    Json addresses = Json::array();
    for (const auto& address : name.addresses) addresses.push_back(address.text());
    return {{"name", name.name},
            {"addresses", addresses},
            {"failure", name.failure.empty() ? Json(nullptr) : Json(name.failure)}};
}

} // namespace

std::string hello(const std::string& config, const std::string& state_dir) {
    return line({{"program", "natctl-agent"},
                 {"release", NATCTL_VERSION},
                 {"version", version},
                 {"config", std::filesystem::absolute(config).string()},
                 {"state_dir", std::filesystem::absolute(state_dir).string()}});
}

Json json_of(const State& state) {
    Json links = Json::array();
    for (const auto& link : state.links) links.push_back(json_of(link));
    Json programs = Json::array();
    for (const auto& program : state.programs) programs.push_back(json_of(program));
    Json names = Json::array();
    for (const auto& name : state.names) names.push_back(json_of(name));
    Json events = Json::array();
    for (const auto& entry : state.events) events.push_back(json_of(entry));
    Json http = Json::array();
    for (const auto& listener : state.http)
        http.push_back({{"listen", listener.listen},
                        {"failure", listener.failure.empty() ? Json(nullptr) : Json(listener.failure)}});
    return {{"process", ::getpid()},
            {"seconds", state.running.count()},
            {"site", state.site ? Json(*state.site) : Json(nullptr)},
            {"failure", state.failure.empty() ? Json(nullptr) : Json(state.failure)},
            {"fighting", state.fighting},
            {"looks", state.looks},
            {"changes", state.changes},
            {"repairs", state.repairs},
            {"http", http},
            {"links", links},
            {"programs", programs},
            {"names", names},
            {"events", events}};
}

std::string answer(const State& state) { return line({{"ok", true}, {"status", json_of(state)}}); }

std::string answer(const Transaction& change, bool changed) {
    return line({{"ok", true}, {changed ? "changed" : "pending", !change.empty()}, {"changes", render(change)}});
}

std::string answer(const Transaction& change, const std::vector<std::string>& warnings,
                   std::optional<std::chrono::seconds> trial) {
    Json json{{"ok", true}, {"changed", !change.empty()}, {"changes", render(change)}, {"warnings", warnings}};
    if (trial) json["confirm_within"] = trial->count();
    return line(json);
}

std::string answer(const std::vector<RunTimeEntry>& white_now) {
    Json entries = Json::array();
    for (const auto& [prefix, lifetime, name] : white_now)
        entries.push_back({{"addresses", prefix.text()},
                           {"name", name.empty() ? Json(nullptr) : Json(name)},
                           {"seconds_left", lifetime ? Json(std::chrono::ceil<std::chrono::seconds>(*lifetime).count())
                                                     : Json(nullptr)}});
    return line({{"ok", true}, {"entries", entries}});
}

std::string answer(const std::vector<LiveFlow>& flows, std::size_t limit, std::chrono::system_clock::time_point now) {
    const auto shown = std::span(flows).first(std::min(limit, flows.size()));
    return line({{"ok", true}, {"count", flows.size()}, {"flows", natctl::json_of(shown, now)}});
}

std::string done() { return line({{"ok", true}}); }

std::string refusal(const std::string& cause) { return line({{"ok", false}, {"error", cause}}); }

std::string event(const JournalEntry& entry) { return line({{"event", json_of(entry)}}); }

} // namespace natctl::control
