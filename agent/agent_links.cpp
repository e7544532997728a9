// SPDX-License-Identifier: GPL-3.0-or-later
// What class Agent does for the links of peers.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "agent/agent.h"
#include "nftctl/base/error.h"
#include "nftctl/site/each_link.h"

namespace natctl {

using Clock = Loop::Clock;

Clock::time_point Agent::links_due() const {
    // What was taken note of waits for its turn.
    constexpr std::chrono::milliseconds pause(100);
    const auto now = Clock::now();
    auto due = std::min(links_.due(now), tunnel_.due());
    if (links_.asks_for_proxies() && !tunnel_asked_) due = std::min(due, ask_tunnel_at_);
    return links_noted_ ? std::max(due, now + pause) : due;
}

void Agent::tend_links() {
    const auto now = Clock::now();
    for (const auto& probe : links_.probes(now))
        if (prober_.send(probe)) links_.asked(probe.link);
    if (const auto text = prober_.take_failure(); !text.empty()) journal_.say(Weight::warning, text);
    tunnel_.tend(now);
    if (links_.asks_for_proxies() && !tunnel_asked_ && now >= ask_tunnel_at_) {
        constexpr std::chrono::milliseconds pause(300);
        ask_tunnel_at_ = now + pause;
        tunnel_asked_ = true;
        tunnel_.ask([this](const std::optional<TunnelReport>& report) { take_report(report); });
    }
    if (!links_noted_ && links_.has_news(now)) {
        links_noted_ = true;
        reconciler_.note(Cause::link, now);
    }
    if (const auto peers = links_.ended(now); !peers.empty() && site_) end_flows(peers);
    if (!links_.has_flows_to_end()) end_failure_.clear();
}

void Agent::adjust(const Site& site, Facts& facts) {
    links_.adjust(site, facts, Clock::now());
    links_noted_ = false;
    tell_failed_links();
}

void Agent::tell_failed_links() {
    auto failed = links_.failed();
    try {
        if (failed != failed_links_) write_failed_links(options_.session.run_dir, failed);
        failed_links_ = std::move(failed);
        links_failure_.clear();
    } catch (const SystemError& error) {
        tell_failure(links_failure_, error.what());
    }
}

bool Agent::refuse_links(const RouteRefused& refusal) {
    // These pass, or are about something else than the link.
    constexpr std::array passing{ENODEV, ENETDOWN, EPERM, ENOMEM, ENOBUFS, EINTR};
    const auto& route = refusal.route();
    const auto& site = upkeep_.site();
    if (!site || std::ranges::find(passing, refusal.error()) != passing.end()) return false;
    bool found = false;
    for (const auto& peer : site->peers) {
        // An interface without IPv6 takes no route of any peer.
        const auto is_its = [&](const Prefix& prefix) {
            return refusal.error() == EACCES ? prefix.family() == route.destination.family()
                                             : prefix.overlaps(route.destination);
        };
        if (std::ranges::none_of(peer.virtual_prefixes, is_its)) continue;
        for (std::size_t place = 0; place < peer.links.size(); ++place) {
            const auto* link = std::get_if<DevLink>(&peer.links[place]);
            if (!link || link->dev != route.dev) continue;
            const auto family = route.destination.family();
            if (links_.refuse({peer.name, place}, family, refusal.what(), Clock::now())) found = true;
        }
    }
    return found;
}

void Agent::take_report(const std::optional<TunnelReport>& report) {
    // A busy machine is no failure.
    constexpr unsigned most_silent = 2;
    std::map<Endpoint, std::string> down;
    tunnel_asked_ = false;
    tunnel_silent_ = report ? 0 : tunnel_silent_ + 1;
    if (!report && (tunnel_silent_ < most_silent || !site_)) return;
    if (!report)
        for_each_link<SocksLink>(*site_, [&](const Peer&, const SocksLink& link) {
            down.emplace(link.server, "natctl-tunnel does not answer");
        });
    else
        for (const auto& proxy : report->proxies)
            if (const auto server = Endpoint::parse(proxy.server); server && !proxy.up)
                down.emplace(*server, "natctl-tunnel says: " + proxy.cause);
    links_.proxies_are(std::move(down));
}

void Agent::end_flows(const std::vector<std::string>& peers) {
    const auto end = std::chrono::ceil<std::chrono::seconds>(options_.links.end).count();
    try {
        const auto count = upkeep_.end_flows(*site_, peers);
        journal_.say(Weight::warning, fmt::format("no link to {} for {} s: {} open flows are ended",
                                                  fmt::join(peers, ", "), end, count));
        end_failure_.clear();
    } catch (const SystemError& error) {
        links_.not_ended(peers, Clock::now());
        tell_failure(end_failure_, error.what());
    }
}

} // namespace natctl
