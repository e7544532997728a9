// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "nftctl/plan/trace_packet.h"
#include "nftctl/plan/trace_story.h"

namespace natctl::nft {

/// One packet on its way, and the connection that it begins or answers.
struct Passage {
    Packet packet;
    Connection connection;
    /// The listener that the rules have given it to.
    std::optional<Endpoint> socket = {};
    /// The one that would have got it, but nobody listens there.
    std::optional<Endpoint> deaf = {};
};

/// The chains of a table, run for one packet: its verdict, and what they make of it.
class RuleRunner {
public:
    /// All of these are kept by reference; the plan has a table.
    RuleRunner(const Plan& plan, const Surroundings& surroundings, Passage& passage, Story& story)
        : plan_(plan),
          around_(surroundings),
          passage_(passage),
          story_(story) {}

    enum class Outcome : std::uint8_t { fell_through, accepted, ended };

    /// A chain of a hook, with those it jumps to. When the packet ends there, the story says so.
    Outcome run(const Chain& chain);

private:
    enum class Flowing : std::uint8_t { next, stop_rule, accept, end, leave_chain, jump, go };

    Flowing run_rules(const Chain& chain, unsigned depth);
    Flowing run_rule(const Rule& rule);

    Flowing run_statement(const Match& match);
    Flowing run_statement(const Lookup& lookup);
    // What root sends from a shell stands in no control group that anybody would except.
    Flowing run_statement(const CgroupMatch&) { return Flowing::stop_rule; }
    Flowing run_statement(const SetMark& set);
    Flowing run_statement(const Counter&) { return Flowing::next; }
    Flowing run_statement(const Verdict& verdict);
    Flowing run_statement(const VerdictMap& use);
    Flowing run_statement(const Tproxy& tproxy);
    Flowing run_statement(const Redirect& redirect);
    Flowing run_statement(const SetHelper&) { return Flowing::next; }
    Flowing run_statement(const NatMap& nat);
    Flowing run_statement(const NatTo& nat);
    Flowing run_statement(const Masquerade&);
    Flowing run_statement(const Reject& reject);
    Flowing run_statement(const ClampMss&) { return Flowing::next; }
    Flowing run_statement(const Unknown& unknown);

    Flowing translate_to(NatKind kind, const Address& target);
    Flowing end(Fate fate, std::string sender_sees = {});
    FieldValue value_of(Field field) const;
    const Set* set_named(const std::string& name);

    const Plan& plan_;
    const Surroundings& around_;
    Passage& passage_;
    Story& story_;

    const Chain* chain_ = nullptr;
    const Rule* rule_ = nullptr;
    std::string jump_to_;
};

} // namespace natctl::nft
