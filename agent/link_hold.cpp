// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/link_hold.h"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "nftctl/plan/compile.h"

namespace natctl {

namespace {

void set_down(Facts& facts, const std::string& name) {
    for (auto& interface : facts.interfaces)
        if (interface.name == name) interface.up = false;
}

/// Whether every peer that may use it has another link without it.
bool can_be_spared(const Site& site, Facts facts, const std::string& name) {
    set_down(facts, name);
    return std::ranges::all_of(site.peers, [&](const Peer& peer) {
        const bool uses = std::ranges::any_of(peer.links, [&](const Link& link) {
            const auto* dev = std::get_if<DevLink>(&link);
            return dev && dev->dev == name;
        });
        return !uses || usable_link(peer, facts);
    });
}

} // namespace

void LinkHold::adjust(const Site& site, Facts& facts, Time now) {
    std::set<std::string> names;
    for (auto& name : link_interfaces(site)) names.insert(std::move(name));
    std::erase_if(interfaces_, [&](const auto& item) { return !names.contains(item.first); });
    for (const auto& name : names) {
        auto& known = interfaces_[name];
        const auto* found = facts.find(name);
        const bool up = found && found->up;
        if (up && !known.up) known.since = now;
        if (!up && known.up) {
            known.failed = true;
            messages_.push_back(name + " is down: new flows take the next link of its peers");
        }
        known.up = up;
        const bool wait = up && known.failed && now < known.since + hold_ && can_be_spared(site, facts, name);
        if (wait) set_down(facts, name);
        if (wait && !known.held)
            messages_.push_back(fmt::format("{} is up again, and used when it stays so for {} s", name,
                                            std::chrono::ceil<std::chrono::seconds>(hold_).count()));
        if (up && known.failed && !wait) {
            messages_.push_back(name + " is up, and used again");
            known.failed = false;
        }
        known.held = wait;
    }
}

LinkHold::Time LinkHold::due() const {
    auto due = Time::max();
    for (const auto& [name, interface] : interfaces_)
        if (interface.held) due = std::min(due, interface.since + hold_);
    return due;
}

std::vector<std::string> LinkHold::messages() { return std::exchange(messages_, {}); }

} // namespace natctl
