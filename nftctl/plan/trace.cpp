// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace.h"

#include <fmt/format.h>

#include "nftctl/plan/trace_hooks.h"
#include "nftctl/plan/trace_words.h"

namespace natctl {

namespace {

using namespace nft;

constexpr const char* loopback = "lo";

/// From hook to hook, the first packet of a flow and its answer.
class Walk {
public:
    Walk(const Plan& plan, const Surroundings& surroundings) : plan_(plan), around_(surroundings) {}

    Trace run(const Flow& flow);

private:
    // --- stations; false: the packet's way has ended
    bool arrive();
    bool send();
    bool leave();
    bool deliver();
    bool deliver_to_raw_socket();
    bool route(const std::string& in);
    void reroute();

    bool end(Fate fate, std::string reason, std::string sender_sees = {});
    bool end_in_the_tunnel(std::string text);
    void follow_answer(Trace& trace);

    const Plan& plan_;
    const Surroundings& around_;
    Story story_;
    Passage passage_;
    Packet& packet_ = passage_.packet;
    const Connection& connection_ = passage_.connection;
    Hooks hooks_{plan_, around_, passage_, story_, [this] { reroute(); }};

    Hop hop_;
    bool looped_ = false;
};

bool Walk::end(Fate fate, std::string reason, std::string sender_sees) {
    story_.ends({fate, std::move(reason), std::move(sender_sees)});
    return false;
}

bool Walk::route(const std::string& in) {
    const auto hop = find_route(plan_, around_, packet_.destination, in, packet_.mark);
    if (!hop) return end(Fate::refused, "there is no route to " + packet_.destination.text(), "ICMP no route");
    hop_ = *hop;
    if (hop_.type != RouteType::unreachable) return true;
    return end(Fate::refused, why_unreachable(plan_, around_, packet_), "ICMP host unreachable");
}

/// The hook that runs now goes on with the interface of the first route.
void Walk::reroute() {
    if (const auto hop = find_route(plan_, around_, packet_.destination, loopback, packet_.mark)) hop_ = *hop;
}

bool Walk::arrive() {
    if (!hooks_.pass(HookPoint::prerouting)) return false;
    // What came round by lo keeps the route that it was sent by.
    if (looped_) return deliver();
    if (!route(packet_.in)) return false;
    if (hop_.type == RouteType::local) return deliver();
    if (passage_.socket) {
        return end(Fate::dropped, fmt::format("the rule that leads marked packets from {} to the tunnel is missing; "
                                              "put it back: natctl apply",
                                              packet_.in));
    }
    const bool ipv4 = packet_.family() == Family::ipv4;
    if (!(ipv4 ? around_.facts.forwarding4 : around_.facts.forwarding6))
        return end(Fate::dropped,
                   fmt::format("this machine does not forward {}; switch it on: sysctl -w {}=1", ipv4 ? "IPv4" : "IPv6",
                               ipv4 ? "net.ipv4.ip_forward" : "net.ipv6.conf.all.forwarding"));
    story_.say(fmt::format("goes on by {}{}", hop_.dev, hop_.via ? " to gateway " + hop_.via->text() : ""));
    packet_.out = hop_.dev;
    return hooks_.pass(HookPoint::forward) && leave();
}

bool Walk::send() {
    packet_.out = hop_.type == RouteType::local ? loopback : hop_.dev;
    if (!hooks_.pass(HookPoint::output)) return false;
    if (hop_.type == RouteType::unreachable) return end(Fate::refused, why_unreachable(plan_, around_, packet_));
    return leave();
}

bool Walk::leave() {
    packet_.out = hop_.type == RouteType::local ? loopback : hop_.dev;
    if (!hooks_.pass(HookPoint::postrouting)) return false;
    if (packet_.out == loopback) {
        if (hop_.type != RouteType::local)
            return end(Fate::dropped, packet_.destination.text() + " has no route but the placeholder");
        looped_ = true;
        packet_.in = loopback;
        packet_.out.clear();
        return arrive();
    }
    story_.comes_through(Fate::forwarded, fmt::format("leaves by {}: {}", packet_.out, described(packet_)));
    return true;
}

bool Walk::deliver() {
    packet_.out.clear();
    if (!hooks_.pass(HookPoint::input)) return false;
    // TPROXY looks for the socket itself; what REDIRECT sends here is answered as at any closed port.
    if (passage_.socket && connection_.new_port && around_.listens &&
        !around_.listens(*passage_.socket, packet_.protocol))
        return end(Fate::refused, no_tunnel_listens(*passage_.socket),
                   packet_.protocol == Protocol::tcp ? "TCP reset" : "ICMP port unreachable");
    if (passage_.socket) return end_in_the_tunnel(fmt::format("the tunnel takes it at {}", passage_.socket->text()));
    // Led here though it is no address of this machine: for a raw socket, as echo requests to a /96 are.
    if (!is_own_address(around_.facts, packet_.destination)) return deliver_to_raw_socket();
    story_.comes_through(Fate::delivered, fmt::format("is for this router itself: {}", described(packet_)));
    return true;
}

bool Walk::deliver_to_raw_socket() {
    // Whether the tunnel runs shows by its listener for the same prefix.
    if (around_.site && !around_.site->embedding_maps.empty() && around_.listens) {
        const Endpoint listener{*Address::parse("::1"), around_.site->tunnel.embedded_port};
        if (!around_.listens(listener, Protocol::tcp)) return end(Fate::dropped, no_tunnel_listens(listener));
    }
    return end_in_the_tunnel("the tunnel takes it");
}

bool Walk::end_in_the_tunnel(std::string text) {
    story_.comes_through(Fate::tunnel, std::move(text));
    auto next = after_the_tunnel(around_, connection_.destination, packet_.protocol);
    if (!next.empty()) story_.say(std::move(next));
    return true;
}

// --- the whole way ------------------------------------------------------------------------------------------------

void Walk::follow_answer(Trace& trace) {
    if (connection_.status() == 0) return;
    story_.turn_to_answer();
    const std::string from = packet_.out;
    packet_ = Packet{.source = connection_.new_destination,
                     .destination = connection_.new_source,
                     .protocol = packet_.protocol,
                     .reply = true};
    const std::string from_to = packet_.source.text() + " to " + packet_.destination.text();
    looped_ = false;
    bool passes = false;
    if (from.empty()) {
        story_.say("the answer: " + from_to);
        passes = route(loopback) && send();
    } else {
        packet_.in = from;
        story_.say("the answer arrives on " + from + ": " + from_to);
        passes = arrive();
    }
    if (passes) {
        trace.answer_source = packet_.source;
        trace.answer_destination = packet_.destination;
        return;
    }
    trace.fate = story_.ending().fate;
    trace.reason = fmt::format("the answer is {}: {}", name_of(trace.fate), story_.ending().reason);
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
        if (passes) story_.say(fmt::format("this router sends: {}", described(packet_)));
    } else {
        story_.say(fmt::format("arrives on {}: {}", flow.in, described(packet_)));
    }
    passage_.connection = {.source = packet_.source,
                           .destination = packet_.destination,
                           .new_source = packet_.source,
                           .new_destination = packet_.destination};
    if (around_.site && passes)
        if (const auto* peer = peer_of(*around_.site, flow.destination))
            story_.say(fmt::format("{} belongs to peer {}", flow.destination.text(), peer->name));
    passes = passes && (flow.in.empty() ? send() : arrive());

    Trace trace;
    trace.fate = story_.ending().fate;
    trace.reason = story_.ending().reason;
    trace.sender_sees = story_.ending().sender_sees;
    trace.source = packet_.source;
    trace.destination = packet_.destination;
    trace.out = packet_.out;
    if (passes && trace.fate != Fate::tunnel) follow_answer(trace);
    story_.tell(trace);
    return trace;
}

} // namespace

Trace trace(const Plan& plan, const Surroundings& surroundings, const Flow& flow) {
    return Walk(plan, surroundings).run(flow);
}

} // namespace natctl
