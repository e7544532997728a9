// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "nftctl/doctor/examine.h"
#include "nftctl/kernel/nftables.h"

namespace natctl::doctor {

namespace {

using namespace nft;

constexpr const char* probe_chain = "natctl_probe";
constexpr const char* probe_map = "natctl_probe_map";
constexpr const char* probe_set = "natctl_probe_set";

struct Probe {
    Feature feature;
    Change change;
};

Statement is(Field field, std::uint32_t value) { return Match{field, {}, Op::eq, value}; }

Probe rule(const char* name, const char* module, std::vector<Statement> statements, const char* since = "") {
    return {{.name = name, .module = module, .since = since}, AddRule{probe_chain, Rule{std::move(statements)}}};
}

/// Kinds of expressions, chains and sets that the table of every site has.
std::vector<Probe> probes() {
    constexpr std::uint32_t ipv4 = 2;
    constexpr std::uint32_t ipv6 = 10;
    constexpr std::uint32_t tcp = 6;
    const SetSpec prefixes{.name = probe_map,
                           .key = {Datatype::ipv4_addr},
                           .data = Datatype::ipv4_addr,
                           .interval = true,
                           .data_interval = true};
    const SetSpec concatenated{.name = probe_set, .key = {Datatype::ifname, Datatype::ipv4_addr}, .interval = true};
    return {
        {{.name = "tables of family inet", .module = "nf_tables"}, AddTable{}},
        {{.name = "chains", .module = "nf_tables"}, AddChain{probe_chain, {}}},
        {{.name = "chains of type nat", .module = "nft_chain_nat"},
         AddChain{"natctl_probe_nat", Hook{ChainType::nat, HookPoint::prerouting, -110}}},
        {{.name = "maps of intervals", .module = "nf_tables", .since = "5.8"}, AddSet{prefixes}},
        {{.name = "sets of interfaces and address ranges", .module = "nf_tables", .since = "5.6"},
         AddSet{concatenated}},
        rule("connection tracking in rules", "nft_ct", {is(Field::ct_direction, 1)}),
        rule("NAT to an address", "nft_nat", {NatTo{NatKind::snat, *Address::parse("192.0.2.1")}}),
        rule("NAT of prefixes (NETMAP)", "nft_nat", {NatMap{NatKind::dnat, Field::ip_daddr, probe_map, true}}, "5.8"),
        rule("masquerading", "nft_masq", {Masquerade{}}),
        rule("TPROXY for IPv4", "nft_tproxy",
             {is(Field::nfproto, ipv4), is(Field::l4proto, tcp), Tproxy{*Endpoint::parse("127.0.0.1:1")}}),
        rule("TPROXY for IPv6", "nft_tproxy",
             {is(Field::nfproto, ipv6), is(Field::l4proto, tcp), Tproxy{*Endpoint::parse("[::1]:1")}}),
        rule("matching transparent sockets", "nft_socket", {is(Field::socket_transparent, 1)}),
        rule("matching sockets by wildcard", "nft_socket", {is(Field::socket_wildcard, 0)}, "5.11"),
        rule("routing lookups in rules (fib)", "nft_fib_inet", {is(Field::fib_daddr_oif, 1)}),
        rule("rejecting", "nft_reject_inet", {Reject{RejectKind::icmpx_no_route}}),
        rule("rewriting the MSS of TCP", "nf_tables",
             {Match{Field::tcp_flags, 6, Op::eq, std::uint32_t{2}}, ClampMss{}}, "4.14"),
    };
}

} // namespace

std::vector<Feature> read_features() {
    const auto list = probes();
    std::vector<Change> changes;
    changes.reserve(list.size());
    for (const Probe& probe : list) changes.push_back(probe.change);
    Nftables tables;
    // Nobody can try out anything in what an agent owns. That it is there, on Linux 6.9 or later, says as much.
    if (tables.is_anothers()) return {};
    const auto errors = tables.try_out(changes);
    std::vector<Feature> features;
    for (std::size_t i = 0; i < list.size(); ++i) {
        features.push_back(list[i].feature);
        features.back().error = errors[i];
    }
    // Without its table nothing else can be tried out: that alone is what is missing.
    if (features.front().error != 0) features.resize(1);
    return features;
}

} // namespace natctl::doctor
