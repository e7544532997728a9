// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/compile_embedding.h"

#include "nftctl/plan/set_words.h"

namespace natctl::embedding {

using namespace nft;
using namespace words;

namespace {

constexpr std::uint32_t echo_request = 128;
constexpr std::uint32_t echo_reply = 129;

bool none(const Site& site) { return site.embedding_maps.empty(); }
Statement to_own() { return Lookup{{Field::ip6_daddr}, "own64"}; }
Statement from_own() { return Lookup{{Field::ip6_saddr}, "own64"}; }

} // namespace

Set own_set(const Site& site) {
    std::vector<AddressRange> ranges;
    for (const auto& map : site.embedding_maps) ranges.push_back(map.virtual_prefix.range());
    return range_set_named("own64", Family::ipv6, std::move(ranges));
}

std::vector<Chain> chains(const Site& site) {
    if (none(site)) return {};
    const Endpoint listener{*Address::parse("::1"), site.tunnel.embedded_port};
    ChainWriter chain("tun_in");
    chain.rule(set_mark(Field::mark, site.marks.tunnel()));
    for (const auto protocol : {protocol_tcp, protocol_udp})
        chain.rule(is(Field::l4proto, protocol), Tproxy{listener}, accept());
    chain.rule(is(Field::nfproto, nfproto_ipv6), is(Field::icmpv6_type, echo_request), accept());
    // No tunnel is listening, or another protocol.
    chain.rule(go("no_link"));
    return {chain.done()};
}

void take_in(ChainWriter& chain, const Site& site) {
    if (none(site)) return;
    chain.rule(by("link_if"), is_new(), to_own(), halves().back().from("peer", Op::ne), Counter{}, drop());
    chain.rule(to_own(), original(), go("tun_in"));
}

void silence_kernel(ChainWriter& chain, const Site& site) {
    if (none(site)) return;
    chain.rule(from_own(), is(Field::icmpv6_type, echo_reply), marked(Field::mark, site.marks.bypass(), Op::ne),
               drop());
}

void let_out(ChainWriter& chain, const Site& site) {
    if (!none(site)) chain.rule(from_own(), accept());
}

void refuse_as_source(ChainWriter& chain, const Site& site) {
    if (!none(site)) chain.rule(from_own(), Counter{}, drop());
}

void refuse_as_destination(ChainWriter& chain, const Site& site) {
    if (!none(site)) chain.rule(to_own(), Counter{}, drop());
}

} // namespace natctl::embedding
