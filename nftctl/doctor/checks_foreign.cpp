// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <fmt/format.h>

#include "nftctl/doctor/checks.h"

namespace natctl::doctor {

namespace {

/// As `ip rule` takes it.
std::string selectors(const ForeignRule& rule) {
    std::string text = fmt::format("pref {}", rule.priority);
    if (rule.inverted) text += " not";
    if (rule.from) text += " from " + rule.from->text();
    if (rule.to) text += " to " + rule.to->text();
    if (!rule.iif.empty()) text += " iif " + shell_word(rule.iif);
    if (!rule.oif.empty()) text += " oif " + shell_word(rule.oif);
    if (rule.fwmark) text += fmt::format(" fwmark {:#x}/{:#x}", rule.fwmark->value, rule.fwmark->mask);
    if (rule.looks_up) text += fmt::format(" lookup {}", rule.table);
    return text;
}

const char* ip(Family family) { return family == Family::ipv4 ? "ip" : "ip -6"; }

/// Naming the protocol too, so that none of ours can be meant.
std::string delete_rule(const ForeignRule& rule) {
    return fmt::format("{} rule del {} protocol {}", ip(rule.family), selectors(rule), rule.protocol);
}

bool among_ours(std::uint32_t priority) {
    return priority >= routing::first_priority && priority <= routing::last_priority;
}

/// Whether packets from the LAN, or of this machine, to the prefix may be asked for by the rule.
bool concerns(const ForeignRule& rule, const Site& site, const Prefix& prefix) {
    if (rule.family != prefix.family() || !rule.looks_up || rule.inverted) return false;
    if (rule.to && !rule.to->overlaps(prefix)) return false;
    const bool from_lan =
        rule.iif.empty() || rule.iif == "lo" || std::ranges::find(site.lan, rule.iif) != site.lan.end();
    // Packets to peers by an interface link carry no mark.
    const bool unmarked = !rule.fwmark || (rule.fwmark->value & rule.fwmark->mask) == 0;
    return from_lan && rule.oif.empty() && unmarked;
}

/// The route of the rule's table that takes the prefix, or a part of it.
const ForeignRoute* taker(const ForeignRule& rule, const Prefix& prefix, const std::vector<ForeignRoute>& routes) {
    const auto found = std::ranges::find_if(routes, [&](const ForeignRoute& route) {
        return route.table == rule.table && route.destination.family() == prefix.family() &&
               route.destination.overlaps(prefix) && (!rule.suppress || route.destination.length() > *rule.suppress);
    });
    return found == routes.end() ? nullptr : &*found;
}

} // namespace

Findings check_rules_among_ours(const Examination& seen) {
    if (!seen.rules) return {unchecked(seen.rules.failure)};
    Findings findings;
    for (const ForeignRule& rule : *seen.rules)
        if (among_ours(rule.priority))
            findings.push_back({.grade = Grade::warning,
                                .what = "somebody else's policy rule stands among natctl's: " + selectors(rule),
                                .why = "preferences 6000 to 6005 are natctl's: what it catches does not reach the "
                                       "rules behind it",
                                .command = delete_rule(rule),
                                .advice = "where it is needed, give it another preference"});
    return findings;
}

Findings check_rules_before_ours(const Site& site, const Examination& seen) {
    if (!seen.rules) return {unchecked(seen.rules.failure)};
    if (!seen.routes) return {unchecked(seen.routes.failure)};
    Findings findings;
    for (const ForeignRule& rule : *seen.rules) {
        if (rule.priority >= routing::link_priority || among_ours(rule.priority)) continue;
        for (const Peer& peer : site.peers) {
            const ForeignRoute* route = nullptr;
            for (const Prefix& prefix : peer.virtual_prefixes)
                if (route == nullptr && concerns(rule, site, prefix)) route = taker(rule, prefix, *seen.routes);
            if (route == nullptr) continue;
            const bool some = rule.from || rule.has_more;
            findings.push_back({.grade = some ? Grade::warning : Grade::error,
                                .what = "policy rule " + selectors(rule) +
                                        " comes before natctl's, and its table has a route " +
                                        route->destination.text() + (route->dev.empty() ? "" : " dev " + route->dev) +
                                        " for peer " + peer.name,
                                .why = some ? "what it selects goes that way instead of to the peer"
                                            : "what is for the peer goes that way",
                                .command = delete_rule(rule),
                                .advice = "where it is needed, give it a preference above 6005"});
            break;
        }
    }
    return findings;
}

Findings check_rules_by_mark(const Site& site, const Examination& seen) {
    if (!seen.rules) return {unchecked(seen.rules.failure)};
    const Marks& marks = site.marks;
    Findings findings;
    for (const ForeignRule& rule : *seen.rules) {
        if (!rule.fwmark || rule.inverted || among_ours(rule.priority)) continue;
        const Mark& mark = *rule.fwmark;
        for (const Mark& ours : {marks.tunnel(), marks.bypass(), marks.local_tunnel(), marks.link()}) {
            if (mark.mask == 0 || (ours.value & mark.mask) != mark.value) continue;
            // A rule that asks for none of our bits, fwmark 0/0xff0000, means everybody's packets.
            if ((mark.mask & ours.mask) == 0) continue;
            findings.push_back({.grade = Grade::warning,
                                .what = fmt::format("policy rule {} catches packets with natctl's mark {:#x}",
                                                    selectors(rule), ours.value),
                                .why = "packets of the tunnel or of a link go to that table",
                                .command = delete_rule(rule),
                                .advice = "where it is needed, give it another mark, or natctl another mask in [marks] "
                                          "of site.toml"});
            break;
        }
    }
    return findings;
}

Findings check_routes_among_ours(const Examination& seen) {
    if (!seen.routes) return {unchecked(seen.routes.failure)};
    Findings findings;
    for (const ForeignRoute& route : *seen.routes) {
        if (route.table < routing::link_table || route.table > routing::last_table) continue;
        const std::string what = route.destination.text() + (route.dev.empty() ? "" : " dev " + shell_word(route.dev)) +
                                 fmt::format(" table {}", route.table);
        findings.push_back(
            {.grade = Grade::warning,
             .what = "somebody else's route stands in a table of natctl's: " + what,
             .why = "tables 7000 to 7003 are natctl's: it takes packets of peers, or stands in the way "
                    "of natctl apply",
             .command = fmt::format("{} route del {} proto {}", ip(route.destination.family()), what, route.protocol)});
    }
    return findings;
}

} // namespace natctl::doctor
