// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "agent/child.h"
#include "agent/journal.h"
#include "agent/link_health.h"
#include "agent/name_book.h"
#include "agent/web_listeners.h"
#include "nftctl/plan/facts.h"
#include "nftctl/plan/live_flow.h"
#include "nftctl/plan/transaction.h"

namespace natctl::control {

// What is said at the control socket: lines of JSON. Whoever connects gets a hello, and an answer to each request,
// which request.h reads.
//
//     {"program":"natctl-agent","release":"0.1.0","version":1,"config":"/etc/natctl/site.toml",...}
//     {"do":"status"}                       {"ok":true,"status":{...}}
//     {"do":"apply","confirm":60}           {"ok":true,"changed":true,"changes":"...",...}
//     {"do":"whatever"}                     {"ok":false,"error":"..."}
//     {"do":"flows","peer":"b"}             {"ok":true,"count":2,"flows":[...]}
//     {"do":"whitelist","add":["203.0.113.0/24"],"seconds":7200}

/// Of the protocol; grows when a client of the former one would be misled.
inline constexpr int version = 1;

/// With what it keeps, and where it keeps it: paths, made absolute.
std::string hello(const std::string& config, const std::string& state_dir);

struct State {
    std::chrono::seconds running{};
    /// Of what is applied; absent: nothing is.
    std::optional<std::string> site;
    /// Of looks at the kernel; those that changed something, and those of them that undid what others did.
    std::uint64_t looks = 0;
    std::uint64_t changes = 0;
    std::uint64_t repairs = 0;
    /// Somebody undoes what is put back, again and again.
    bool fighting = false;
    /// What cannot be done at the moment; empty: all is well.
    std::string failure;
    std::vector<LinkHealth::State> links;
    /// That it runs itself.
    std::vector<Child::State> programs;
    std::vector<NameBook::State> names;
    std::deque<JournalEntry> events;
    /// Where it shows itself by HTTP.
    std::vector<WebListeners::State> http = {};
};

/// What stands under "status".
nlohmann::ordered_json json_of(const State& state);

// Answers, each a line with its break.
std::string answer(const State& state);
/// `changed`: the change was made; else it is pending.
std::string answer(const Transaction& change, bool changed);
/// After apply; `warnings`: what the machine lacks for it. `trial`: how long it waits to be confirmed.
std::string answer(const Transaction& change, const std::vector<std::string>& warnings,
                   std::optional<std::chrono::seconds> trial = {});
std::string answer(const std::vector<RunTimeEntry>& white_now);
/// The first of them, up to the limit.
std::string answer(const std::vector<LiveFlow>& flows, std::size_t limit, std::chrono::system_clock::time_point now);
std::string done();
std::string refusal(const std::string& cause);
/// To those who watch.
std::string event(const JournalEntry& entry);

} // namespace natctl::control
