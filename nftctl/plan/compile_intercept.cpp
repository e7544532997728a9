// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/compile_intercept.h"

#include "nftctl/plan/set_words.h"
#include "nftctl/site/uses.h"

namespace natctl {

namespace {

using namespace nft;
using namespace words;

using Statements = std::vector<Statement>;

Rule joined(const Statements& one, const Statements& two, const Statements& three = {}) {
    Rule rule{one};
    for (const auto* part : {&two, &three}) rule.statements.insert(rule.statements.end(), part->begin(), part->end());
    return rule;
}

/// What is never the Internet's, and what the white list spares.
void spare_destinations(ChainWriter& chain, const Site& site) {
    for (const char* set : {"peer", "own", "inside"})
        for (const auto& half : halves()) chain.rule(half.to(set), leave());
    for (const auto type : {type_local, type_broadcast, type_multicast})
        chain.rule(is(Field::fib_daddr_type, type), leave());
    chain.rule(reply(), leave());
    for (const auto& mark : site.intercept->except_marks) chain.rule(marked(Field::mark, mark), leave());
    for (const char* set : {"white", "white_now"})
        for (const auto& half : halves()) chain.rule(half.to(set), leave());
}

Chain take(const Site& site, const std::string& name, const Statements& condition, const Statements& action) {
    ChainWriter chain(name);
    spare_destinations(chain, site);
    // nft wants the protocol named before it takes a port.
    const Statement protocol =
        redirects(site) ? is(Field::l4proto, protocol_tcp) : Lookup{{Field::l4proto}, "intercepted"};
    for (const auto& half : halves())
        chain.add(joined(condition, {is_new(), half.to("intercepted"), protocol}, action));
    return chain.done();
}

Statements redirect(const Site& site) {
    return {set_mark(Field::ct_mark, site.marks.tunnel()), Redirect{site.tunnel.redirect_port}};
}

/// From one LAN to another: no business of the Internet's, also where the white list forgets it.
std::vector<AddressRange> inside(const Site& site, const MapParts& maps, const Facts& facts, Family family) {
    std::vector<Prefix> prefixes;
    for (const auto& map : site.embedding_maps)
        prefixes.insert(prefixes.end(), map.real_prefixes.begin(), map.real_prefixes.end());
    for (const auto& name : site.lan)
        if (const auto* interface = facts.find(name))
            for (const auto& [address, length] : interface->addresses) prefixes.emplace_back(address, length);
    auto ranges = ranges_of(prefixes, family);
    const auto& real = maps.real(family);
    ranges.insert(ranges.end(), real.begin(), real.end());
    return ranges;
}

/// The listener of REDIRECT stands on all addresses: only what was redirected may reach it.
Chain guard_listener(const Site& site) {
    return ChainWriter("redirect_guard", Hook{ChainType::filter, HookPoint::input, 0})
        .rule(is(Field::l4proto, protocol_tcp), is(Field::th_dport, site.tunnel.redirect_port), not_translated(),
              Counter{}, Reject{RejectKind::tcp_reset})
        .done();
}

} // namespace

bool intercepts(const Site& site) { return site.intercept && site.intercept->by == InterceptBy::tproxy; }

std::vector<Set> intercept_sets(const Site& site, const MapParts& maps, const Facts& facts) {
    if (!site.intercept) return {};
    const auto& intercept = *site.intercept;
    std::vector<Set> sets;
    sets.push_back(interface_set("intercepted_if", intercept.from.empty() ? site.lan : intercept.from));
    sets.push_back(protocol_set("intercepted", intercept.tcp, intercept.udp && !redirects(site)));
    for (const auto family : {Family::ipv4, Family::ipv6}) {
        sets.push_back(range_set("inside", family, inside(site, maps, facts, family)));
        sets.push_back(range_set("intercepted", family,
                                 intercept.to.empty() ? std::vector{all_addresses(family).range()}
                                                      : ranges_of(intercept.to, family)));
    }
    return sets;
}

std::vector<Chain> intercept_chains(const Site& site) {
    if (!site.intercept) return {};
    const Statements from_lan{by("intercepted_if")};
    const bool local = site.intercept->local;
    std::vector<Chain> chains;
    if (redirects(site)) {
        chains.push_back(take(site, "intercept", from_lan, redirect(site)));
        if (local) chains.push_back(take(site, "intercept_local", {}, redirect(site)));
        chains.push_back(guard_listener(site));
    } else {
        chains.push_back(take(site, "intercept", from_lan, {go("tun_out")}));
        if (local) chains.push_back(take(site, "intercept_local", {}, {go("local_tun")}));
    }
    return chains;
}

void redirect_to_tunnel(ChainWriter& chain, HookPoint hook, const Site& site, const Facts& facts) {
    if (!redirects(site)) return;
    if (hook == HookPoint::prerouting) {
        for (const auto& half : halves())
            chain.add(joined({by("lan_if"), half.to("tun"), is(Field::l4proto, protocol_tcp)}, redirect(site)));
        chain.rule(by("lan_if"), jump("intercept"));
        return;
    }
    chain.rule(marked(Field::mark, site.marks.bypass()), leave());
    spare_programs(chain, site, facts);
    for (const auto& half : halves())
        chain.add(joined({half.to("tun"), is(Field::l4proto, protocol_tcp)}, redirect(site)));
    if (site.intercept->local) chain.rule(jump("intercept_local"));
}

void spare_programs(ChainWriter& chain, const Site& site, const Facts& facts) {
    if (!site.intercept) return;
    for (const auto& mark : site.intercept->except_marks) chain.rule(marked(Field::mark, mark), leave());
    for (const auto& name : site.intercept->except_users)
        if (const auto user = facts.users.find(name); user != facts.users.end())
            chain.rule(is(Field::skuid, user->second), leave());
    for (const auto& path : site.intercept->except_cgroups)
        if (const auto group = facts.control_groups.find(path); group != facts.control_groups.end())
            chain.rule(CgroupMatch{group->second.level, group->second.id, path}, leave());
}

} // namespace natctl
