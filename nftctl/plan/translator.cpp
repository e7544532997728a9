// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/translator.h"

#include "nftctl/plan/lookup.h"

namespace natctl {

using namespace nft;

namespace {

/// The first statement of type T in a chain for which holds(statement).
template <class T>
const T* find_statement(const Table& table, const std::string& chain, auto holds) {
    const auto* found = table.find_chain(chain);
    if (!found) return nullptr;
    for (const auto& rule : found->rules)
        for (const auto& statement : rule.statements)
            if (const auto* value = std::get_if<T>(&statement); value && holds(*value)) return value;
    return nullptr;
}

std::optional<Mark> mark_set_in(const Table& table, const std::string& chain) {
    const auto* set =
        find_statement<SetMark>(table, chain, [](const SetMark& s) { return s.target == Field::ct_mark; });
    if (!set) return std::nullopt;
    return Mark{set->value, ~set->keep};
}

} // namespace

Translator::Translator(const Plan& plan, Family family) : family_(family) {
    if (!plan.table) return;
    const Table& table = *plan.table;
    const std::string suffix = family == Family::ipv4 ? "4" : "6";
    own_ = table.find_set("own" + suffix);
    if (family == Family::ipv6) embedding_ = table.find_set("own64");
    peer_ = table.find_set("peer" + suffix);
    white_ = table.find_set("white" + suffix);
    white_now_ = table.find_set("white_now" + suffix);
    real_hosts_ = table.find_set("dnat" + suffix + "h");
    real_prefixes_ = table.find_set("dnat" + suffix);
    name_hosts_ = table.find_set("snat" + suffix + "h");
    name_prefixes_ = table.find_set("snat" + suffix);
    const auto* router =
        find_statement<NatTo>(table, "to_peer" + suffix, [](const NatTo& nat) { return nat.kind == NatKind::snat; });
    if (router) router_ = router->to;
    link_ = mark_set_in(table, "guard" + suffix);
    tunnel_ = mark_set_in(table, "tun_out");
}

bool Translator::contains(const Set* set, const Address& address) {
    return find_element(set, address.bytes()) != nullptr;
}

std::optional<Address> Translator::real_of(const Address& name) const {
    if (contains(white_, name) || contains(white_now_, name)) return std::nullopt;
    return translated(real_hosts_, real_prefixes_, name);
}

std::optional<Address> Translator::name_of(const Address& real) const {
    return translated(name_hosts_, name_prefixes_, real);
}

std::optional<Address> Translator::source_to_peer(const Address& source) const {
    // Transit through a hub keeps the source.
    if (is_peer(source)) return source;
    const auto name = name_of(source);
    return name ? name : router_;
}

} // namespace natctl
