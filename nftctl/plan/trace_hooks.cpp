// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace_hooks.h"

#include <algorithm>

#include <fmt/format.h>

namespace natctl::nft {

namespace {

// linux/netfilter_ipv4.h: where the kernel translates, whatever the priority of the nat chain.
constexpr int nat_dst_priority = -100;
constexpr int nat_src_priority = 100;

int priority_of(const Chain* chain) { return chain->hook->priority; }

/// In the order in which the kernel runs them.
std::vector<const Chain*> chains_at(const Table& table, HookPoint point, bool nat) {
    std::vector<const Chain*> chains;
    for (const auto& chain : table.chains)
        if (chain.hook && chain.hook->point == point && (chain.hook->type == ChainType::nat) == nat)
            chains.push_back(&chain);
    std::ranges::stable_sort(chains, {}, priority_of);
    return chains;
}

bool translates_destination(HookPoint point) { return point == HookPoint::prerouting || point == HookPoint::output; }
bool translates_source(HookPoint point) { return point == HookPoint::postrouting || point == HookPoint::input; }

} // namespace

bool Hooks::translate(HookPoint point, const std::vector<const Chain*>& chains) {
    const bool destination = translates_destination(point);
    if (!destination && !translates_source(point)) return true;
    Packet& packet = passage_.packet;
    const Connection& connection = passage_.connection;
    const Packet before = packet;
    if (packet.reply) {
        // The inverse of what the first packet got: whoever asked sees the address that it had asked.
        if (destination && connection.new_source != connection.source) packet.destination = connection.source;
        if (!destination && connection.new_destination != connection.destination)
            packet.source = connection.destination;
    } else {
        auto& bound = destination ? destination_bound_ : source_bound_;
        if (bound) return true;
        bound = true;
        for (const auto* chain : chains) {
            const auto outcome = runner_.run(*chain);
            if (outcome == RuleRunner::Outcome::ended) return false;
            if (outcome == RuleRunner::Outcome::accepted) break;
        }
        (destination ? packet.destination : packet.source) =
            destination ? connection.new_destination : connection.new_source;
        if (connection.new_port) packet.port = *connection.new_port;
    }
    if (packet.destination != before.destination)
        story_.say(fmt::format("destination {} becomes {}", before.destination.text(), packet.destination.text()));
    if (packet.source != before.source)
        story_.say(fmt::format("source {} becomes {}", before.source.text(), packet.source.text()));
    return true;
}

bool Hooks::pass(HookPoint point) {
    const auto filters = plan_.table ? chains_at(*plan_.table, point, false) : std::vector<const Chain*>();
    const auto nats = plan_.table ? chains_at(*plan_.table, point, true) : std::vector<const Chain*>();
    const int nat_priority = translates_destination(point) ? nat_dst_priority : nat_src_priority;
    const auto after =
        std::ranges::find_if(filters, [&](const Chain* chain) { return priority_of(chain) > nat_priority; });
    const Packet& packet = passage_.packet;
    for (auto chain = filters.begin(); chain != after; ++chain) {
        const auto mark = packet.mark;
        if (!run(**chain)) return false;
        if ((*chain)->hook->type == ChainType::route && packet.mark != mark) reroute_();
    }
    const auto destination = packet.destination;
    if (!translate(point, nats)) return false;
    if (point == HookPoint::output && packet.destination != destination) reroute_();
    return std::all_of(after, filters.end(), [&](const Chain* chain) { return run(*chain); });
}

} // namespace natctl::nft
