// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "nftctl/plan/render.h"
#include "nftctl/plan/trace_packet.h"
#include "nftctl/plan/trace_words.h"

namespace natctl {

namespace {

using namespace nft;

constexpr const char* loopback = "lo";
// linux/netfilter_ipv4.h: where the kernel translates, whatever the priority of the nat chain.
constexpr int nat_dst_priority = -100;
constexpr int nat_src_priority = 100;
// net/netfilter/nf_tables_core.c: NFT_JUMP_STACK_SIZE
constexpr unsigned most_jumps = 16;

/// The address that the machine itself uses on an interface towards `destination`.
std::optional<Address> address_on(const Facts& facts, const std::string& name, const Address& destination) {
    const auto* interface = facts.find(name);
    if (!interface) return std::nullopt;
    std::optional<Address> first;
    for (const auto& assigned : interface->addresses) {
        if (assigned.address.family() != destination.family()) continue;
        if (Prefix(assigned.address, assigned.length).contains(destination)) return assigned.address;
        if (!first) first = assigned.address;
    }
    return first;
}

bool is_multicast(const Address& address) {
    static const Prefix ipv4 = *Prefix::parse("224.0.0.0/4");
    static const Prefix ipv6 = *Prefix::parse("ff00::/8");
    return ipv4.contains(address) || ipv6.contains(address);
}

bool is_broadcast(const Facts& facts, const Address& address) {
    if (address.family() != Family::ipv4) return false;
    if (address == Address::v4(0xffffffff)) return true;
    // Networks of one or two addresses have none (RFC 3021).
    constexpr unsigned longest = 30;
    return std::ranges::any_of(facts.interfaces, [&](const Interface& interface) {
        return std::ranges::any_of(interface.addresses, [&](const InterfaceAddress& assigned) {
            return assigned.address.family() == Family::ipv4 && assigned.length <= longest &&
                   Prefix(assigned.address, assigned.length).last() == address;
        });
    });
}

/// One packet on its way, and the connection that it begins or answers.
class Walk {
public:
    Walk(const Plan& plan, const Surroundings& surroundings) : plan_(plan), around_(surroundings) {}

    Trace run(const Flow& flow);

private:
    enum class Flowing : std::uint8_t { next, stop_rule, accept, end, leave_chain, jump, go };

    // --- the hooks; false: the packet's way has ended
    bool arrive();
    bool send();
    bool leave();
    bool deliver();
    bool pass(HookPoint point);
    bool translate(HookPoint point, const std::vector<const Chain*>& chains);
    bool route(const std::string& in);
    void reroute();

    // --- chains and rules
    bool run(const Chain& chain);
    Flowing run_rules(const Chain& chain, unsigned depth);
    Flowing run_rule(const Rule& rule);

    FieldValue value_of(Field field);
    const Set* set_named(const std::string& name);
    void took_effect(const Rule& rule);

    // --- statements
    Flowing run_statement(const Match& match);
    Flowing run_statement(const Lookup& lookup);
    // What root sends from a shell stands in no control group that anybody would except.
    Flowing run_statement(const CgroupMatch&) { return Flowing::stop_rule; }
    Flowing run_statement(const SetMark& set);
    Flowing run_statement(const Counter&) { return Flowing::next; }
    Flowing run_statement(const Verdict& verdict);
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

    void say(std::string text);
    bool end(Fate fate, std::string reason);
    void doubt(std::string text);
    void follow_answer();

    const Plan& plan_;
    const Surroundings& around_;
    Trace trace_;
    std::vector<Step>* steps_ = &trace_.steps;
    std::vector<std::string> effects_;

    Packet packet_;
    Connection connection_;
    Hop hop_;
    const Chain* chain_ = nullptr;
    const Rule* rule_ = nullptr;
    std::string jump_to_;
    std::optional<Endpoint> socket_;
    std::optional<Endpoint> deaf_;
    // Of this packet's connection: destination and source have been decided.
    bool destination_bound_ = false;
    bool source_bound_ = false;
    bool looped_ = false;
    Fate fate_ = Fate::dropped;
    std::string reason_;
    std::string sender_sees_;
};

void Walk::say(std::string text) {
    steps_->push_back({std::move(text), std::move(effects_)});
    effects_.clear();
}

bool Walk::end(Fate fate, std::string reason) {
    fate_ = fate;
    reason_ = std::move(reason);
    auto text = fmt::format("{}: {}", name_of(fate), reason_);
    if (fate == Fate::refused && !sender_sees_.empty()) text += fmt::format(" ({})", sender_sees_);
    say(std::move(text));
    return false;
}

void Walk::doubt(std::string text) {
    if (std::ranges::find(trace_.doubts, text) == trace_.doubts.end()) trace_.doubts.push_back(std::move(text));
}

// --- statements ---------------------------------------------------------------------------------------------------

FieldValue Walk::value_of(Field field) {
    const auto present = [](const std::optional<Hop>& hop, Family family) {
        if (!hop || hop->type != RouteType::unicast) return false;
        // An IPv6 route to lo is a refusal to the kernel (net/ipv6/route.c: "cannot add true routes via loopback").
        return family == Family::ipv4 || hop->dev != loopback;
    };
    const auto type_of = [&](const Address& address) -> std::uint32_t {
        // linux/rtnetlink.h
        constexpr std::uint32_t unicast = 1;
        constexpr std::uint32_t local = 2;
        constexpr std::uint32_t broadcast = 3;
        constexpr std::uint32_t multicast = 5;
        if (is_multicast(address)) return multicast;
        if (is_broadcast(around_.facts, address)) return broadcast;
        const auto hop = find_route(plan_, around_, address, loopback, 0);
        return hop && hop->type == RouteType::local ? local : unicast;
    };
    switch (field) {
    case Field::fib_daddr_oif: {
        const auto hop = find_route(plan_, around_, packet_.destination, loopback, 0);
        if (!present(hop, packet_.family())) return 0u;
        const auto* interface = around_.facts.find(hop->dev);
        return hop->dev == loopback ? 1u : interface ? interface->index : 0u;
    }
    case Field::fib_daddr_oif_present:
        return present(find_route(plan_, around_, packet_.destination, loopback, 0), packet_.family()) ? 1u : 0u;
    case Field::fib_daddr_type: return type_of(packet_.destination);
    case Field::fib_saddr_type: return type_of(packet_.source);
    // A first packet and its answer belong to no socket yet.
    case Field::socket_transparent:
    case Field::socket_wildcard: return {};
    default: return packet_field(field, packet_, connection_);
    }
}

Walk::Flowing Walk::run_statement(const Match& match) {
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

const Set* Walk::set_named(const std::string& name) {
    const auto* set = plan_.table->find_set(name);
    if (!set) doubt("a rule asks for set " + name + ", which is not there");
    return set;
}

Walk::Flowing Walk::run_statement(const Lookup& lookup) {
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

Walk::Flowing Walk::run_statement(const SetMark& set) {
    auto& mark = set.target == Field::ct_mark ? connection_.mark : packet_.mark;
    mark = (mark & set.keep) | set.value;
    return Flowing::next;
}

Walk::Flowing Walk::run_statement(const Verdict& verdict) {
    switch (verdict.kind) {
    case VerdictKind::accept: return Flowing::accept;
    case VerdictKind::return_: return Flowing::leave_chain;
    case VerdictKind::jump: jump_to_ = verdict.chain; return Flowing::jump;
    case VerdictKind::goto_: jump_to_ = verdict.chain; return Flowing::go;
    case VerdictKind::drop:
        end(Fate::dropped, why(plan_, around_, packet_, chain_->name, *rule_, deaf_));
        return Flowing::end;
    }
    return Flowing::next;
}

Walk::Flowing Walk::run_statement(const Tproxy& tproxy) {
    if (tproxy.to.address.family() != packet_.family()) return Flowing::stop_rule;
    // net/netfilter/nft_tproxy.c: without a socket the rule does not match.
    if (around_.listens && !around_.listens(tproxy.to, packet_.protocol)) {
        deaf_ = tproxy.to;
        return Flowing::stop_rule;
    }
    socket_ = tproxy.to;
    return Flowing::next;
}

Walk::Flowing Walk::translate_to(NatKind kind, const Address& target) {
    if (target.family() != packet_.family()) return Flowing::stop_rule;
    (kind == NatKind::dnat ? connection_.new_destination : connection_.new_source) = target;
    return Flowing::accept;
}

Walk::Flowing Walk::run_statement(const Redirect& redirect) {
    // net/netfilter/nf_nat_redirect.c: to the interface's first address; loopback for what this machine sends.
    const auto target = packet_.in.empty() ? Address::parse(packet_.family() == Family::ipv4 ? "127.0.0.1" : "::1")
                                           : address_on(around_.facts, packet_.in, packet_.source);
    if (!target) return Flowing::stop_rule;
    socket_ = Endpoint{*target, redirect.port};
    connection_.new_port = redirect.port;
    return translate_to(NatKind::dnat, *target);
}

Walk::Flowing Walk::run_statement(const NatMap& nat) {
    const auto value = value_of(nat.key);
    const auto* address = std::get_if<Address>(&value);
    const auto* map = address ? set_named(nat.map) : nullptr;
    const auto target = map ? mapped(*map, *address, nat.prefix) : std::nullopt;
    return target ? translate_to(nat.kind, *target) : Flowing::stop_rule;
}

Walk::Flowing Walk::run_statement(const NatTo& nat) { return translate_to(nat.kind, nat.to); }

Walk::Flowing Walk::run_statement(const Masquerade&) {
    const auto target = address_on(around_.facts, packet_.out, packet_.destination);
    return target ? translate_to(NatKind::snat, *target) : Flowing::stop_rule;
}

Walk::Flowing Walk::run_statement(const Reject& reject) {
    sender_sees_ = sender_sees(reject.kind);
    end(Fate::refused, why(plan_, around_, packet_, chain_->name, *rule_, deaf_));
    return Flowing::end;
}

Walk::Flowing Walk::run_statement(const Unknown& unknown) {
    doubt(fmt::format("chain {} holds a rule that is not natctl's ({}): natctl apply removes it", chain_->name,
                      unknown.name));
    return Flowing::stop_rule;
}

// --- rules and chains ---------------------------------------------------------------------------------------------

void Walk::took_effect(const Rule& rule) {
    auto text = fmt::format("{}: {}", chain_->name, render(rule));
    if (effects_.empty() || effects_.back() != text) effects_.push_back(std::move(text));
}

Walk::Flowing Walk::run_rule(const Rule& rule) {
    rule_ = &rule;
    for (const auto& statement : rule.statements) {
        // Before it runs: what it does to the packet may end the story.
        const bool tests = std::holds_alternative<Match>(statement) || std::holds_alternative<Lookup>(statement) ||
                           std::holds_alternative<NatMap>(statement) ||
                           std::holds_alternative<CgroupMatch>(statement) ||
                           std::holds_alternative<Tproxy>(statement) || std::holds_alternative<Unknown>(statement);
        if (!tests) took_effect(rule);
        const auto result = std::visit([this](const auto& value) { return run_statement(value); }, statement);
        if (result == Flowing::stop_rule) return Flowing::next;
        if (std::holds_alternative<NatMap>(statement)) took_effect(rule);
        if (result != Flowing::next) return result;
    }
    return Flowing::next;
}

Walk::Flowing Walk::run_rules(const Chain& chain, unsigned depth) {
    for (const auto& rule : chain.rules) {
        chain_ = &chain;
        const auto result = run_rule(rule);
        if (result == Flowing::next) continue;
        if (result != Flowing::jump && result != Flowing::go)
            return result == Flowing::leave_chain ? Flowing::next : result;
        const auto* target = plan_.table->find_chain(jump_to_);
        if (!target || depth == most_jumps) {
            doubt("chain " + chain.name + " leads to chain " + jump_to_ + ", which cannot be followed");
            return Flowing::next;
        }
        const auto inner = run_rules(*target, depth + 1);
        if (inner != Flowing::next || result == Flowing::go) return inner;
    }
    return Flowing::next;
}

bool Walk::run(const Chain& chain) { return run_rules(chain, 0) != Flowing::end; }

// --- hooks --------------------------------------------------------------------------------------------------------

bool Walk::translate(HookPoint point, const std::vector<const Chain*>& chains) {
    const bool destination = point == HookPoint::prerouting || point == HookPoint::output;
    if (!destination && point != HookPoint::postrouting && point != HookPoint::input) return true;
    const Packet before = packet_;
    if (packet_.reply) {
        // The inverse of what the first packet got: whoever asked sees the address that it had asked.
        if (destination && connection_.new_source != connection_.source) packet_.destination = connection_.source;
        if (!destination && connection_.new_destination != connection_.destination)
            packet_.source = connection_.destination;
    } else {
        auto& bound = destination ? destination_bound_ : source_bound_;
        if (bound) return true;
        bound = true;
        for (const auto* chain : chains) {
            const auto result = run_rules(*chain, 0);
            if (result == Flowing::end) return false;
            if (result == Flowing::accept) break;
        }
        (destination ? packet_.destination : packet_.source) =
            destination ? connection_.new_destination : connection_.new_source;
        if (connection_.new_port) packet_.port = *connection_.new_port;
    }
    if (packet_.destination != before.destination)
        say(fmt::format("destination {} becomes {}", before.destination.text(), packet_.destination.text()));
    if (packet_.source != before.source)
        say(fmt::format("source {} becomes {}", before.source.text(), packet_.source.text()));
    return true;
}

bool Walk::pass(HookPoint point) {
    std::vector<const Chain*> filters;
    std::vector<const Chain*> nats;
    if (plan_.table)
        for (const auto& chain : plan_.table->chains)
            if (chain.hook && chain.hook->point == point)
                (chain.hook->type == ChainType::nat ? nats : filters).push_back(&chain);
    const auto priority = [](const Chain* chain) { return chain->hook->priority; };
    std::ranges::stable_sort(filters, {}, priority);
    std::ranges::stable_sort(nats, {}, priority);

    const bool early = point == HookPoint::prerouting || point == HookPoint::output;
    const int nat_priority = early ? nat_dst_priority : nat_src_priority;
    const auto after = std::ranges::find_if(filters, [&](const Chain* c) { return priority(c) > nat_priority; });
    for (auto chain = filters.begin(); chain != after; ++chain) {
        const auto mark = packet_.mark;
        if (!run(**chain)) return false;
        if ((*chain)->hook->type == ChainType::route && packet_.mark != mark) reroute();
    }
    const auto destination = packet_.destination;
    if (!translate(point, nats)) return false;
    if (point == HookPoint::output && packet_.destination != destination) reroute();
    return std::all_of(after, filters.end(), [&](const Chain* chain) { return run(*chain); });
}

bool Walk::route(const std::string& in) {
    const auto hop = find_route(plan_, around_, packet_.destination, in, packet_.mark);
    if (!hop) {
        sender_sees_ = "ICMP no route";
        return end(Fate::refused, "there is no route to " + packet_.destination.text());
    }
    hop_ = *hop;
    if (hop_.type != RouteType::unreachable) return true;
    sender_sees_ = "ICMP host unreachable";
    return end(Fate::refused, why_unreachable(plan_, around_, packet_));
}

/// net/ipv4/netfilter.c: ip_route_me_harder(). The hook that runs now goes on with the interface of the first route.
void Walk::reroute() {
    if (const auto hop = find_route(plan_, around_, packet_.destination, loopback, packet_.mark)) hop_ = *hop;
}

bool Walk::arrive() {
    if (!pass(HookPoint::prerouting)) return false;
    // What came round by lo keeps the route that it was sent by.
    if (looped_) return deliver();
    if (!route(packet_.in)) return false;
    if (hop_.type == RouteType::local) return deliver();
    if (socket_) {
        return end(Fate::dropped, fmt::format("the rule that leads marked packets from {} to the tunnel is missing; "
                                              "put it back: natctl apply",
                                              packet_.in));
    }
    const bool ipv4 = packet_.family() == Family::ipv4;
    if (!(ipv4 ? around_.facts.forwarding4 : around_.facts.forwarding6))
        return end(Fate::dropped,
                   fmt::format("this machine does not forward {}; switch it on: sysctl -w {}=1", ipv4 ? "IPv4" : "IPv6",
                               ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"));
    say(fmt::format("goes on by {}{}", hop_.dev, hop_.via ? " to gateway " + hop_.via->text() : ""));
    packet_.out = hop_.dev;
    return pass(HookPoint::forward) && leave();
}

bool Walk::send() {
    packet_.out = hop_.type == RouteType::local ? loopback : hop_.dev;
    if (!pass(HookPoint::output)) return false;
    if (hop_.type == RouteType::unreachable) return end(Fate::refused, why_unreachable(plan_, around_, packet_));
    return leave();
}

bool Walk::leave() {
    packet_.out = hop_.type == RouteType::local ? loopback : hop_.dev;
    if (!pass(HookPoint::postrouting)) return false;
    if (packet_.out == loopback) {
        if (hop_.type != RouteType::local)
            return end(Fate::dropped, packet_.destination.text() + " has no route but the placeholder");
        looped_ = true;
        packet_.in = loopback;
        packet_.out.clear();
        return arrive();
    }
    fate_ = Fate::forwarded;
    say(fmt::format("leaves by {}: {}", packet_.out, described(packet_)));
    return true;
}

bool Walk::deliver() {
    packet_.out.clear();
    if (!pass(HookPoint::input)) return false;
    if (socket_) {
        fate_ = Fate::tunnel;
        say(fmt::format("the tunnel takes it at {}", socket_->text()));
        if (auto next = after_the_tunnel(around_, connection_.destination); !next.empty()) say(std::move(next));
        return true;
    }
    if (!is_own_address(around_.facts, packet_.destination)) {
        // Led here though it is no address of this machine: for a raw socket, as echo requests to a /96 are.
        fate_ = Fate::tunnel;
        say("the tunnel takes it");
        if (auto next = after_the_tunnel(around_, connection_.destination); !next.empty()) say(std::move(next));
        return true;
    }
    fate_ = Fate::delivered;
    say(fmt::format("is for this router itself: {}", described(packet_)));
    return true;
}

// --- the whole way ------------------------------------------------------------------------------------------------

void Walk::follow_answer() {
    if (connection_.status() == 0) return;
    steps_ = &trace_.answer;
    const std::string from = trace_.out;
    Packet answer{.source = connection_.new_destination,
                  .destination = connection_.new_source,
                  .protocol = packet_.protocol,
                  .reply = true};
    packet_ = answer;
    looped_ = false;
    bool passes = false;
    if (from.empty()) {
        say(fmt::format("the answer: {} to {}", answer.source.text(), answer.destination.text()));
        passes = route(loopback) && send();
    } else {
        packet_.in = from;
        say(fmt::format("the answer arrives on {}: {} to {}", from, answer.source.text(), answer.destination.text()));
        passes = arrive();
    }
    if (passes) {
        trace_.answer_source = packet_.source;
        trace_.answer_destination = packet_.destination;
        return;
    }
    trace_.fate = fate_;
    trace_.reason = "the answer is " + std::string(name_of(fate_)) + ": " + reason_;
    trace_.sender_sees.clear();
}

Trace Walk::run(const Flow& flow) {
    packet_ = {.source = flow.source.value_or(Address()),
               .destination = flow.destination,
               .protocol = flow.protocol,
               .port = flow.port,
               .in = flow.in};
    bool passes = true;
    if (flow.in.empty()) {
        passes = route(loopback);
        if (passes && !flow.source) {
            const auto given = hop_.source ? hop_.source : address_on(around_.facts, hop_.dev, flow.destination);
            packet_.source = given.value_or(flow.destination);
        }
        if (passes) say(fmt::format("this router sends: {}", described(packet_)));
    } else {
        say(fmt::format("arrives on {}: {}", flow.in, described(packet_)));
    }
    connection_ = {.source = packet_.source,
                   .destination = packet_.destination,
                   .new_source = packet_.source,
                   .new_destination = packet_.destination};
    if (around_.site && passes)
        if (const auto* peer = peer_of(*around_.site, flow.destination))
            say(fmt::format("{} belongs to peer {}", flow.destination.text(), peer->name));
    passes = passes && (flow.in.empty() ? send() : arrive());

    trace_.fate = fate_;
    trace_.reason = reason_;
    trace_.sender_sees = sender_sees_;
    trace_.source = packet_.source;
    trace_.destination = packet_.destination;
    trace_.out = packet_.out;
    if (passes && fate_ != Fate::tunnel) follow_answer();
    return std::move(trace_);
}

} // namespace

Trace trace(const Plan& plan, const Surroundings& surroundings, const Flow& flow) {
    return Walk(plan, surroundings).run(flow);
}

} // namespace natctl
