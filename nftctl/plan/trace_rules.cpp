// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace_rules.h"

#include <utility>

#include <fmt/format.h>

#include "nftctl/plan/trace_fields.h"
#include "nftctl/plan/trace_words.h"
#include "nftctl/plan/verdict_data.h"

namespace natctl::nft {

namespace {

// net/netfilter/nf_tables_core.c: NFT_JUMP_STACK_SIZE
constexpr unsigned most_jumps = 16;

/// Whether it only asks something of the packet.
bool is_test(const Statement& statement) {
    return std::holds_alternative<Match>(statement) || std::holds_alternative<Lookup>(statement) ||
           std::holds_alternative<CgroupMatch>(statement) || std::holds_alternative<Unknown>(statement) ||
           std::holds_alternative<VerdictMap>(statement);
}

/// Whether it does something, but not to every packet that comes to it.
bool may_miss(const Statement& statement) {
    return std::holds_alternative<NatMap>(statement) || std::holds_alternative<Tproxy>(statement);
}

} // namespace

// --- statements ---------------------------------------------------------------------------------------------------

FieldValue RuleRunner::value_of(Field field) const {
    return field_value(plan_, around_, field, passage_.packet, passage_.connection);
}

RuleRunner::Flowing RuleRunner::end(Fate fate, std::string sender_sees) {
    story_.ends(
        {fate, why(plan_, around_, passage_.packet, chain_->name, *rule_, passage_.deaf), std::move(sender_sees)});
    return Flowing::end;
}

RuleRunner::Flowing RuleRunner::run_statement(const Match& match) {
    const auto value = value_of(match.field);
    bool equal = false;
    if (const auto* number = std::get_if<std::uint32_t>(&value)) {
        const auto* wanted = std::get_if<std::uint32_t>(&match.value);
        equal = wanted && (*number & match.mask.value_or(~0u)) == *wanted;
    } else if (const auto* name = std::get_if<std::string>(&value)) {
        const auto* wanted = std::get_if<std::string>(&match.value);
        equal = wanted && *name == *wanted;
    } else {
        return Flowing::stop_rule;
    }
    return equal == (match.op == Op::eq) ? Flowing::next : Flowing::stop_rule;
}

const Set* RuleRunner::set_named(const std::string& name) {
    const auto* set = plan_.table->find_set(name);
    if (!set) story_.doubt("a rule asks for set " + name + ", which is not there");
    return set;
}

RuleRunner::Flowing RuleRunner::run_statement(const Lookup& lookup) {
    std::vector<FieldValue> key;
    for (const auto field : lookup.key) {
        key.push_back(value_of(field));
        if (std::holds_alternative<std::monostate>(key.back())) return Flowing::stop_rule;
    }
    const auto* set = set_named(lookup.set);
    if (!set) return Flowing::stop_rule;
    const bool found = find_element(*set, key) != nullptr;
    return found == (lookup.op == Op::eq) ? Flowing::next : Flowing::stop_rule;
}

RuleRunner::Flowing RuleRunner::run_statement(const SetMark& set) {
    auto& mark = set.target == Field::ct_mark ? passage_.connection.mark : passage_.packet.mark;
    mark = (mark & set.keep) | set.value;
    return Flowing::next;
}

RuleRunner::Flowing RuleRunner::run_statement(const Verdict& verdict) {
    switch (verdict.kind) {
    case VerdictKind::accept: return Flowing::accept;
    case VerdictKind::return_: return Flowing::leave_chain;
    case VerdictKind::jump: jump_to_ = verdict.chain; return Flowing::jump;
    case VerdictKind::goto_: jump_to_ = verdict.chain; return Flowing::go;
    case VerdictKind::drop: return end(Fate::dropped);
    }
    return Flowing::next;
}

RuleRunner::Flowing RuleRunner::run_statement(const VerdictMap& use) {
    const auto value = value_of(use.key);
    const auto* map = std::holds_alternative<std::monostate>(value) ? nullptr : set_named(use.map);
    const auto* element = map ? find_element(*map, {value}) : nullptr;
    const auto verdict = element ? verdict_of(element->data()) : std::nullopt;
    return verdict ? run_statement(*verdict) : Flowing::stop_rule;
}

RuleRunner::Flowing RuleRunner::run_statement(const Tproxy& tproxy) {
    if (tproxy.to.address.family() != passage_.packet.family()) return Flowing::stop_rule;
    // net/netfilter/nft_tproxy.c: without a socket the rule does not match.
    if (around_.listens && !around_.listens(tproxy.to, passage_.packet.protocol)) {
        passage_.deaf = tproxy.to;
        return Flowing::stop_rule;
    }
    passage_.socket = tproxy.to;
    return Flowing::next;
}

RuleRunner::Flowing RuleRunner::translate_to(NatKind kind, const Address& target) {
    if (target.family() != passage_.packet.family()) return Flowing::stop_rule;
    (kind == NatKind::dnat ? passage_.connection.new_destination : passage_.connection.new_source) = target;
    return Flowing::accept;
}

RuleRunner::Flowing RuleRunner::run_statement(const Redirect& redirect) {
    const Packet& packet = passage_.packet;
    // net/netfilter/nf_nat_redirect.c: to the interface's first address; loopback for what this machine sends.
    const auto target = packet.in.empty() ? Address::parse(packet.family() == Family::ipv4 ? "127.0.0.1" : "::1")
                                          : address_on(around_.facts, packet.in, packet.source);
    if (!target) return Flowing::stop_rule;
    passage_.socket = Endpoint{*target, redirect.port};
    passage_.connection.new_port = redirect.port;
    return translate_to(NatKind::dnat, *target);
}

RuleRunner::Flowing RuleRunner::run_statement(const NatMap& nat) {
    const auto value = value_of(nat.key);
    const auto* address = std::get_if<Address>(&value);
    const auto* map = address ? set_named(nat.map) : nullptr;
    const auto target = map ? mapped(*map, *address, nat.prefix) : std::nullopt;
    return target ? translate_to(nat.kind, *target) : Flowing::stop_rule;
}

RuleRunner::Flowing RuleRunner::run_statement(const NatTo& nat) { return translate_to(nat.kind, nat.to); }

RuleRunner::Flowing RuleRunner::run_statement(const Masquerade&) {
    const auto target = address_on(around_.facts, passage_.packet.out, passage_.packet.destination);
    return target ? translate_to(NatKind::snat, *target) : Flowing::stop_rule;
}

RuleRunner::Flowing RuleRunner::run_statement(const Reject& reject) {
    return end(Fate::refused, sender_sees(reject.kind));
}

RuleRunner::Flowing RuleRunner::run_statement(const Unknown& unknown) {
    story_.doubt(fmt::format("chain {} holds a rule that is not natctl's ({}): natctl apply removes it", chain_->name,
                             unknown.name));
    return Flowing::stop_rule;
}

// --- rules and chains ---------------------------------------------------------------------------------------------

RuleRunner::Flowing RuleRunner::run_rule(const Rule& rule) {
    rule_ = &rule;
    for (const auto& statement : rule.statements) {
        // Before it runs: what it does to the packet may end the story.
        if (!is_test(statement) && !may_miss(statement)) story_.took_effect(chain_->name, rule);
        const auto result = std::visit([this](const auto& value) { return run_statement(value); }, statement);
        if (result == Flowing::stop_rule) return Flowing::next;
        if (std::holds_alternative<NatMap>(statement)) story_.took_effect(chain_->name, rule);
        if (result != Flowing::next) return result;
    }
    return Flowing::next;
}

RuleRunner::Flowing RuleRunner::run_rules(const Chain& chain, unsigned depth) {
    for (const auto& rule : chain.rules) {
        chain_ = &chain;
        const auto result = run_rule(rule);
        if (result == Flowing::next) continue;
        if (result != Flowing::jump && result != Flowing::go)
            return result == Flowing::leave_chain ? Flowing::next : result;
        const auto* target = plan_.table->find_chain(jump_to_);
        if (!target || depth == most_jumps) {
            story_.doubt("chain " + chain.name + " leads to chain " + jump_to_ + ", which cannot be followed");
            return Flowing::next;
        }
        const auto inner = run_rules(*target, depth + 1);
        if (inner != Flowing::next || result == Flowing::go) return inner;
    }
    return Flowing::next;
}

RuleRunner::Outcome RuleRunner::run(const Chain& chain) {
    switch (run_rules(chain, 0)) {
    case Flowing::end: return Outcome::ended;
    case Flowing::accept: return Outcome::accepted;
    default: return Outcome::fell_through;
    }
}

} // namespace natctl::nft
