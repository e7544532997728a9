// SPDX-License-Identifier: GPL-3.0-or-later
// What class Agent does for names on the white list.
#include <algorithm>
#include <chrono>
#include <utility>

#include "agent/agent.h"
#include "nftctl/base/error.h"
#include "nftctl/kernel/resolve.h"

namespace natctl {

using Clock = Loop::Clock;

void Agent::tend_names() {
    resolver_.tend();
    const auto now = Clock::now();
    for (const auto& question : names_.questions(now)) resolver_.ask(question);
    tell_names();
    if (auto endpoints = names_.endpoints(now); endpoints != noticed_) {
        noticed_ = std::move(endpoints);
        reconciler_.note(Cause::names, now);
    }
}

void Agent::tell_names() {
    for (const auto& [warning, text] : names_.messages()) journal_.say(warning ? Weight::warning : Weight::info, text);
}

Endpoints Agent::follow_endpoints(const Site& site) {
    auto names = endpoint_names(site);
    if (names != endpoint_names_) {
        auto known = std::exchange(looked_up_, {});
        known.merge(read_endpoints(options_.session.state_dir));
        names_.set(names, known);
        endpoint_names_ = std::move(names);
    }
    noticed_ = names_.endpoints(Clock::now());
    return noticed_;
}

Endpoints Agent::look_up_endpoints(const Site& site) {
    auto known = names_.endpoints(Clock::now());
    known.merge(Endpoints(looked_up_));
    known.merge(read_endpoints(options_.session.state_dir));
    Endpoints endpoints;
    std::vector<std::string> unknown;
    for (const auto& name : endpoint_names(site))
        if (const auto item = known.find(name); item != known.end())
            endpoints.insert(*item);
        else if (std::ranges::find(endpoint_names_, name) == endpoint_names_.end())
            // Those that are followed are asked for anyway.
            unknown.push_back(name);
    if (unknown.empty()) return endpoints;
    constexpr std::chrono::seconds patience(2);
    for (auto& [name, addresses] : resolve(unknown, patience, look_up_host)) {
        endpoints[name] = addresses;
        looked_up_[name] = std::move(addresses);
    }
    return endpoints;
}

void Agent::remember_endpoints() {
    try {
        if (noticed_ != remembered_) {
            write_endpoints(options_.session.state_dir, noticed_);
            remembered_ = noticed_;
        }
        names_failure_.clear();
    } catch (const SystemError& error) {
        tell_failure(names_failure_, error.what());
    }
}

} // namespace natctl
