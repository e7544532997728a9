// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace_ways.h"

#include "nftctl/plan/set_words.h"
#include "nftctl/plan/trace_packet.h"
#include "nftctl/plan/verdict_data.h"

namespace natctl::nft {

namespace {

/// The interface of the first rule that asks for nothing else.
std::optional<std::string> first_interface(const Chain& chain, Field field) {
    for (const auto& rule : chain.rules) {
        const auto* match = rule.statements.empty() ? nullptr : std::get_if<Match>(&rule.statements.front());
        const auto* name = match && match->field == field ? std::get_if<std::string>(&match->value) : nullptr;
        if (name) return *name;
    }
    return std::nullopt;
}

std::optional<std::string> way(const Table& table, const std::string& map, const Address& address, Field field) {
    const auto* set = table.find_set(words::with_family(map, address.family()));
    const auto* element = set ? find_element(*set, {address}) : nullptr;
    const auto verdict = element ? verdict_of(element->data()) : std::nullopt;
    const auto* chain = verdict ? table.find_chain(verdict->chain) : nullptr;
    return chain ? first_interface(*chain, field) : std::nullopt;
}

} // namespace

std::optional<std::string> way_to(const Table& table, const Address& address) {
    return way(table, "to", address, Field::oifname);
}

std::optional<std::string> way_from(const Table& table, const Address& address) {
    return way(table, "from", address, Field::iifname);
}

} // namespace natctl::nft
