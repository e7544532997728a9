// SPDX-License-Identifier: GPL-3.0-or-later
//
// The chains are the same for every site: what differs stands in sets and maps. Each rule is preceded by its nft text
// where that helps; render() prints them all.
//
// Life of a packet from a LAN host to a peer: pre (anti-spoofing; to the tunnel's transparent socket, or on), routing,
// through (only by the peer's own link), nat_post (real source to virtual), guard (nothing leaves untranslated).
// From a link: pre, nat_pre (virtual destination to real), routing, through, nat_post.
#include "nftctl/plan/compile.h"
#include "nftctl/plan/compile_embedding.h"
#include "nftctl/plan/compile_helpers.h"
#include "nftctl/plan/compile_intercept.h"
#include "nftctl/plan/compile_links.h"
#include "nftctl/plan/rule_words.h"
#include "nftctl/site/uses.h"

namespace natctl {

namespace {

using namespace nft;
using namespace words;

Chain antispoof(const Site& site) {
    ChainWriter chain("antispoof");
    for (const auto& half : halves()) chain.rule(half.by_source("from"));
    chain.rule(by("lan_if"), leave()).rule(by("link_if"), leave());
    for (const auto& half : halves()) chain.rule(half.to("own"), Counter{}, drop());
    embedding::refuse_as_destination(chain, site);
    for (const auto& half : halves()) chain.rule(half.to("peer"), Counter{}, drop());
    return chain.done();
}

Chain pre(const Site& site) {
    const Marks& marks = site.marks;
    ChainWriter chain("pre", Hook{ChainType::filter, HookPoint::prerouting, -150});
    chain.rule(Match{Field::iifname, {}, Op::ne, std::string("lo")}, jump("antispoof"));
    chain.rule(marked(Field::mark, marks.bypass()), leave());
    chain.rule(marked(Field::ct_mark, marks.link()), go("pinned"));
    // An open intercepted flow stays with its socket. TCP only: UDP reply sockets would swallow the client's datagrams.
    chain.rule(is(Field::l4proto, protocol_tcp), is(Field::socket_transparent, 1), is(Field::socket_wildcard, 0),
               set_mark(Field::mark, marks.tunnel()), accept());
    // By a link only a peer's source may open anything under our names.
    for (const auto& half : halves())
        chain.rule(by("link_if"), is_new(), half.to("own"), half.from("peer", Op::ne), Counter{}, drop());
    embedding::take_in(chain, site);
    for (const auto& half : halves())
        chain.rule(by("link_if"), is_new(), half.from("peer"), set_mark(Field::ct_mark, marks.link()));
    chain.rule(by("lan_if"), go("from_lan"));
    chain.rule(Match{Field::iifname, {}, Op::eq, std::string("lo")}, go("from_lan"));
    return chain.done();
}

/// A flow that began on an interface link stays there. While that link is away it waits: a flap must not kill it. The
/// route is asked first, as among 10,000 peers it is found sooner than the peer.
Chain pinned() {
    ChainWriter chain("pinned");
    chain.rule(by("lan_if", Op::ne), leave());
    for (const auto& half : halves()) chain.rule(half.is_family(), without_link(half.family), half.to("peer"), drop());
    return chain.done();
}

Chain from_lan(const Site& site) {
    ChainWriter chain("from_lan");
    if (redirects(site)) {
        // Taken in nat_pre.
        for (const auto& half : halves()) chain.rule(half.to("tun"), relayed(), leave());
    } else {
        for (const auto& half : halves()) chain.rule(half.to("tun"), relayed(), go("tun_out"));
        // What the tunnel has it keeps, also when its peer moves to a link: datagrams, and the end of a handshake.
        chain.rule(marked(Field::ct_mark, site.marks.tunnel()), original(), relayed(), go("tun_out"));
    }
    for (const auto& half : halves()) chain.rule(half.to("peer"), without_link(half.family), go("no_link"));
    if (intercepts(site)) chain.rule(go("intercept"));
    return chain.done();
}

Chain tun_out(const Site& site) {
    const Endpoint four{*Address::parse("127.0.0.1"), site.tunnel.port};
    const Endpoint six{*Address::parse("::1"), site.tunnel.port};
    return ChainWriter("tun_out")
        .rule(set_mark(Field::ct_mark, site.marks.tunnel()))
        .rule(set_mark(Field::mark, site.marks.tunnel()))
        // tproxy wants the protocol named.
        .rule(is(Field::nfproto, nfproto_ipv4), is(Field::l4proto, protocol_tcp), Tproxy{four}, accept())
        .rule(is(Field::nfproto, nfproto_ipv4), is(Field::l4proto, protocol_udp), Tproxy{four}, accept())
        .rule(is(Field::nfproto, nfproto_ipv6), is(Field::l4proto, protocol_tcp), Tproxy{six}, accept())
        .rule(is(Field::nfproto, nfproto_ipv6), is(Field::l4proto, protocol_udp), Tproxy{six}, accept())
        // No tunnel is listening: tproxy found no socket.
        .rule(go("no_link"))
        .done();
}

Chain translate_destination(const std::string& name, Hook hook, const Site& site, const Facts& facts) {
    ChainWriter chain(name, hook);
    redirect_to_tunnel(chain, hook.point, site, facts);
    for (const auto& half : halves()) {
        chain.rule(half.to("white"), leave());
        chain.rule(half.to("white_now"), leave());
        chain.rule(NatMap{NatKind::dnat, half.daddr, half.set("dnat") + "h"});
        chain.rule(NatMap{NatKind::dnat, half.daddr, half.set("dnat"), true});
    }
    return chain.done();
}

Chain local_out(const Site& site, const Facts& facts) {
    const Marks& marks = site.marks;
    ChainWriter chain("local_out", Hook{ChainType::route, HookPoint::output, -150});
    embedding::silence_kernel(chain, site);
    chain.rule(marked(Field::mark, marks.bypass()), leave());
    // Answers of this machine to a flow that came by a link go back by a link.
    chain.rule(marked(Field::ct_mark, marks.link()), reply(), set_mark(Field::mark, marks.link()), leave());
    chain.rule(marked(Field::ct_mark, marks.link()), leave());
    chain.rule(reply(), leave());
    spare_programs(chain, site, facts);
    if (redirects(site)) return chain.done();
    for (const auto& half : halves()) chain.rule(half.to("tun"), relayed(), go("local_tun"));
    chain.rule(marked(Field::ct_mark, marks.tunnel()), relayed(), go("local_tun"));
    if (intercepts(site) && site.intercept->local) chain.rule(go("intercept_local"));
    return chain.done();
}

Chain local_tun(const Marks& marks) {
    return ChainWriter("local_tun")
        .rule(set_mark(Field::ct_mark, marks.tunnel()))
        .rule(set_mark(Field::mark, marks.local_tunnel()))
        .done();
}

/// Peers only by their links, in `forward` and `output`; own names that no map covers are refused.
void guard_way_out(ChainWriter& chain) {
    for (const auto& half : halves()) chain.rule(half.by_destination("to"));
}

Chain out_guard(const Marks& marks) {
    ChainWriter chain("out_guard", Hook{ChainType::filter, HookPoint::output, 0});
    // oifname is the first route's here, also after the route chain sent the packet elsewhere.
    chain.rule(marked(Field::mark, marks.local_tunnel()), leave());
    guard_way_out(chain);
    return chain.done();
}

Chain through() {
    constexpr std::uint32_t tcp_syn = 2;
    constexpr std::uint32_t tcp_syn_rst = 6;
    ChainWriter chain("through", Hook{ChainType::filter, HookPoint::forward, 0});
    chain.rule(Match{Field::tcp_flags, tcp_syn_rst, Op::eq, tcp_syn}, out_by("link_if"), ClampMss{});
    guard_way_out(chain);
    // Real addresses of a LAN are not to be had from a link untranslated.
    chain.rule(is_new(), by("link_if"), out_by("lan_if"), not_translated(), Counter{}, drop());
    return chain.done();
}

Chain no_link() {
    return ChainWriter("no_link")
        .rule(Counter{})
        .rule(is(Field::l4proto, protocol_tcp), Reject{RejectKind::tcp_reset})
        .rule(Reject{RejectKind::icmpx_no_route})
        .done();
}

Chain nat_post() {
    ChainWriter chain("nat_post", Hook{ChainType::nat, HookPoint::postrouting, 90});
    for (const auto& half : halves()) chain.rule(out_by("link_if"), half.to("peer"), jump(half.set("to_peer")));
    for (const auto& half : halves())
        chain.rule(translated(), Lookup{{half.original_daddr}, half.set("own")}, out_by("lan_if"),
                   jump(half.set("back_in")));
    return chain.done();
}

Chain to_peer(const Half& half, const std::optional<Address>& router) {
    ChainWriter chain(half.set("to_peer"));
    // Transit through this hub.
    chain.rule(half.from("peer"), leave());
    chain.rule(NatMap{NatKind::snat, half.saddr, half.set("snat") + "h"});
    chain.rule(NatMap{NatKind::snat, half.saddr, half.set("snat"), true});
    // What has no name of its own goes under the router's.
    if (router) chain.rule(NatTo{NatKind::snat, *router});
    return chain.done();
}

/// A flow to an own virtual address that did not come from a peer: from this machine, or hairpin inside the LAN.
Chain back_in(const Half& half) {
    return ChainWriter(half.set("back_in"))
        .rule(Lookup{{half.original_saddr}, half.set("peer")}, leave())
        .rule(is(Field::fib_saddr_type, type_local), Masquerade{})
        .rule(NatMap{NatKind::snat, half.saddr, half.set("snat") + "h"})
        .rule(NatMap{NatKind::snat, half.saddr, half.set("snat"), true})
        .rule(Masquerade{})
        .done();
}

/// The last word, after every NAT: INVALID and odd packets skip NAT, and must not leave with real addresses.
Chain guard(const Site& site) {
    ChainWriter chain("guard", Hook{ChainType::filter, HookPoint::postrouting, 150});
    chain.rule(Match{Field::oifname, {}, Op::eq, std::string("lo")}, leave());
    chain.rule(out_by("lan_if"), leave());
    chain.rule(out_by("link_if"), go("guard_link"));
    for (const auto& half : halves())
        chain.rule(half.to("peer"), Counter{}, drop())
            .rule(half.from("peer"), Counter{}, drop())
            .rule(half.to("own"), Counter{}, drop())
            .rule(half.from("own"), Counter{}, drop());
    embedding::refuse_as_source(chain, site);
    return chain.done();
}

Chain guard_link(const Mark& link) {
    ChainWriter chain("guard_link");
    // What the family's chain said of the flow's first packet, without looking for its peer again.
    for (const auto& half : halves()) chain.rule(marked(Field::ct_mark, link), half.from("own"), accept());
    for (const auto& half : halves()) chain.rule(half.to("peer"), go(half.set("guard")));
    return chain.done();
}

Chain guard_to_peer(const Half& half, const Site& site) {
    ChainWriter chain(half.set("guard"));
    chain.rule(half.from("own"), set_mark(Field::ct_mark, site.marks.link()), accept())
        .rule(half.from("peer"), by("link_if"), accept());
    if (half.family == Family::ipv6) embedding::let_out(chain, site);
    return chain.rule(Counter{}, drop()).done();
}

} // namespace

std::vector<Chain> compile_chains(const Site& site, const MapParts& maps, const Facts& facts) {
    const Marks& marks = site.marks;
    std::vector<Chain> chains{
        antispoof(site), no_link(), tun_out(site), from_lan(site), pinned(), local_tun(marks),
    };
    for (const auto& half : halves()) {
        chains.push_back(to_peer(half, router_virtual(site, maps, facts, half.family)));
        chains.push_back(back_in(half));
        chains.push_back(guard_to_peer(half, site));
    }
    chains.push_back(guard_link(marks.link()));
    chains.push_back(pre(site));
    chains.push_back(translate_destination("nat_pre", {ChainType::nat, HookPoint::prerouting, -110}, site, facts));
    chains.push_back(local_out(site, facts));
    chains.push_back(translate_destination("nat_out", {ChainType::nat, HookPoint::output, -110}, site, facts));
    chains.push_back(out_guard(marks));
    chains.push_back(through());
    chains.push_back(nat_post());
    chains.push_back(guard(site));
    for (auto& chain : links::chains(site, facts)) chains.push_back(std::move(chain));
    for (auto* part : {&intercept_chains, &embedding::chains, &helper_chains})
        for (auto& chain : (*part)(site)) chains.push_back(std::move(chain));
    return chains;
}

} // namespace natctl
