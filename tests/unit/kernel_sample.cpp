// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/kernel_sample.h"

#include <algorithm>
#include <array>

// Before the kernel's headers, which then leave out what it defines.
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>

#include "nftctl/plan/verdict_data.h"

namespace natctl::test {

using namespace nft;

namespace {

Address address(const std::string& text) { return Address::parse(text).value(); }

Bytes interface_key(const std::string& name) {
    Bytes bytes;
    bytes.append_interface(name);
    return bytes;
}

Element interface_element(const std::string& name) { return {interface_key(name), interface_key(name)}; }

Element interface_range(const std::string& name, const std::string& first, const std::string& last) {
    Bytes low = interface_key(name);
    Bytes high = low;
    low.append(address(first));
    high.append(address(last));
    return {low, high};
}

Element range_mapping(const std::string& first, const std::string& last, const std::string& data_first,
                      const std::string& data_last) {
    Bytes data = address(data_first);
    data.append(address(data_last));
    return {Bytes(address(first)), Bytes(address(last)), data};
}

Element protocol_element(std::uint8_t protocol) {
    Bytes bytes;
    bytes.append(std::array{protocol});
    return {bytes, bytes};
}

Element protocol_range(std::uint8_t protocol, const std::string& first, const std::string& last) {
    Bytes low;
    low.append(std::array{protocol}, 4);
    Bytes high = low;
    low.append(address(first));
    high.append(address(last));
    return {low, high};
}

Verdict jump(const std::string& chain) { return {VerdictKind::jump, chain}; }
Verdict go(const std::string& chain) { return {VerdictKind::goto_, chain}; }

Element verdict_range(const std::string& first, const std::string& last, const Verdict& verdict) {
    return {address(first), address(last), std::span<const std::uint8_t>(verdict_data(verdict))};
}

std::vector<Set> sample_sets() {
    const auto ipv4 = Datatype::ipv4_addr;
    const auto ipv6 = Datatype::ipv6_addr;
    return {
        {{.name = "lan_if", .key = {Datatype::ifname}}, {interface_element("lan0"), interface_element("lan1")}},
        {{.name = "own4", .key = {ipv4}, .interval = true},
         {range("0.0.0.0", "0.255.255.255"), range("240.1.1.0", "240.1.1.255"), range("240.1.2.7", "240.1.2.7"),
          range("250.0.0.0", "255.255.255.255")}},
        {{.name = "own6", .key = {ipv6}, .interval = true},
         {range("64:ff9b:1111::", "64:ff9b:1111::ffff:ffff"),
          range("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")}},
        {{.name = "from4", .key = {Datatype::ifname, ipv4}, .interval = true},
         {interface_range("ov0", "240.2.2.0", "240.2.2.255"), interface_range("ov1", "240.2.10.3", "240.2.10.3")}},
        {{.name = "from6", .key = {Datatype::ifname, ipv6}, .interval = true},
         {interface_range("ov0", "fd01:2::", "fd01:2::ffff:ffff:ffff:ffff")}},
        {{.name = "pairs", .key = {Datatype::ifname, Datatype::inet_proto}}, {}},
        {{.name = "protocols", .key = {Datatype::inet_proto}}, {protocol_element(6), protocol_element(17)}},
        {{.name = "served4", .key = {Datatype::inet_proto, ipv4}, .interval = true},
         {protocol_range(17, "10.0.0.0", "10.0.0.255")}},
        {{.name = "empty4", .key = {ipv4}, .interval = true}, {}},
        {{.name = "white_now4", .key = {ipv4}, .interval = true, .timeout = true},
         {range("203.0.113.0", "203.0.113.255"), range("255.0.0.0", "255.255.255.255")}},
        {{.name = "ways4", .key = {ipv4}, .data = Datatype::verdict, .interval = true},
         {verdict_range("240.2.2.0", "240.2.2.255", jump("in/ov0")),
          verdict_range("240.2.3.0", "240.2.3.255", go("matches")),
          verdict_range("240.2.4.1", "240.2.4.1", {VerdictKind::drop}),
          verdict_range("255.0.0.0", "255.255.255.255", {VerdictKind::return_})}},
        {{.name = "dnat4h", .key = {ipv4}, .data = ipv4, .size = 65536}, {mapping("240.1.1.200", "10.10.10.7")}},
        {{.name = "dnat4", .key = {ipv4}, .data = ipv4, .interval = true, .data_interval = true},
         {range_mapping("240.1.1.0", "240.1.1.199", "192.168.1.0", "192.168.1.255"),
          range_mapping("240.1.1.200", "240.1.1.255", "192.168.1.0", "192.168.1.255")}},
        {{.name = "dnat6h", .key = {ipv6}, .data = ipv6, .size = 16}, {mapping("fd01:1::9", "fd00:a::1")}},
        {{.name = "dnat6", .key = {ipv6}, .data = ipv6, .interval = true, .data_interval = true},
         {range_mapping("fd01:1::", "fd01:1::ffff:ffff:ffff:ffff", "fd00:a::", "fd00:a::ffff:ffff:ffff:ffff")}},
    };
}

Match eq(Field field, std::uint32_t value) { return {field, {}, Op::eq, value}; }
Match masked(Field field, std::uint32_t mask, Op op, std::uint32_t value) { return {field, mask, op, value}; }
Match interface_is(Field field, const std::string& name, Op op = Op::eq) { return {field, {}, op, name}; }

constexpr Verdict simple(VerdictKind kind) { return {kind}; }

std::vector<Chain> sample_chains() {
    const Verdict accept = simple(VerdictKind::accept);
    const Verdict drop = simple(VerdictKind::drop);
    const Verdict back = simple(VerdictKind::return_);
    return {
        {"pre",
         Hook{ChainType::filter, HookPoint::prerouting, -150},
         {
             {{interface_is(Field::iifname, "lo", Op::ne), jump("matches")}},
             {{VerdictMap{Field::ip_saddr, "ways4"}}},
             {{Lookup{{Field::iifname}, "lan_if"}, go("matches")}},
             {{masked(Field::mark, 0xf00, Op::eq, 0x200), back}},
             {{masked(Field::ct_mark, 0xf00, Op::ne, 0x400), SetMark{Field::ct_mark, 0xfffff0ff, 0x400}}},
             {{eq(Field::nfproto, NFPROTO_IPV4), eq(Field::l4proto, IPPROTO_TCP), Counter{},
               Tproxy{{address("127.0.0.1"), 12345}}, accept}},
             {{eq(Field::l4proto, IPPROTO_UDP), Tproxy{{address("::1"), 12346}}, accept}},
             {{SetMark{Field::mark, 0, 0x100}}},
         }},
        {"in/ov0", {}, {{{interface_is(Field::iifname, "ov0"), back}}}},
        {"input", Hook{ChainType::filter, HookPoint::input, 0}, {}},
        {"matches",
         {},
         {
             {{eq(Field::ip_saddr, 0x0a000001), Lookup{{Field::ip_daddr}, "own4"}, drop}},
             {{Lookup{{Field::ip6_saddr}, "own6", Op::ne}, Lookup{{Field::ip6_daddr}, "own6"}, Counter{}, drop}},
             {{Lookup{{Field::iifname, Field::ip_saddr}, "from4", Op::ne}, drop}},
             {{Lookup{{Field::oifname, Field::ip6_daddr}, "from6"}, back}},
             {{Lookup{{Field::iifname, Field::l4proto}, "pairs"}, back}},
             {{Lookup{{Field::l4proto}, "protocols"}, accept}},
             {{masked(Field::ct_state, NF_CT_STATE_BIT(IP_CT_NEW), Op::ne, 0), drop}},
             {{masked(Field::ct_status, IPS_DST_NAT, Op::ne, IPS_DST_NAT), drop}},
             {{eq(Field::ct_direction, 1), Lookup{{Field::ct_original_ip_saddr}, "own4"}, back}},
             {{Lookup{{Field::ct_original_ip_daddr}, "own4"}, back}},
             {{Lookup{{Field::ct_original_ip6_saddr}, "own6"}, back}},
             {{Lookup{{Field::ct_original_ip6_daddr}, "own6"}, back}},
             {{eq(Field::fib_daddr_oif, 1), drop}},
             {{eq(Field::fib_daddr_oif_present, 0), drop}},
             {{eq(Field::fib_daddr_type, RTN_LOCAL), back}},
             {{eq(Field::fib_saddr_type, RTN_LOCAL), back}},
             {{eq(Field::l4proto, IPPROTO_TCP), eq(Field::socket_transparent, 1), eq(Field::socket_wildcard, 0),
               accept}},
             {{eq(Field::l4proto, IPPROTO_TCP), eq(Field::th_dport, 21), SetHelper{"ftp"}}},
             {{Lookup{{Field::ip6_daddr}, "own6"}, eq(Field::icmpv6_type, 128), accept}},
             {{eq(Field::skuid, 65534), back}},
             {{eq(Field::nfproto, NFPROTO_IPV6), Counter{}, Lookup{{Field::ip6_saddr}, "own6"}, drop}},
         }},
        {"nat_pre",
         Hook{ChainType::nat, HookPoint::prerouting, -110},
         {
             {{eq(Field::l4proto, IPPROTO_TCP), Redirect{12346}}},
             {{NatMap{NatKind::dnat, Field::ip_daddr, "dnat4h"}}},
             {{NatMap{NatKind::dnat, Field::ip_daddr, "dnat4", true}}},
             {{NatMap{NatKind::dnat, Field::ip6_daddr, "dnat6h"}}},
             {{NatMap{NatKind::dnat, Field::ip6_daddr, "dnat6", true}}},
         }},
        {"out", Hook{ChainType::route, HookPoint::output, -150}, {{{SetMark{Field::mark, 0xfffff0ff, 0x300}}}}},
        {"through",
         Hook{ChainType::filter, HookPoint::forward, 0},
         {
             {{masked(Field::tcp_flags, 0x06, Op::eq, 0x02), ClampMss{}}},
             {{eq(Field::l4proto, IPPROTO_TCP), nft::Reject{RejectKind::tcp_reset}}},
             {{Lookup{{Field::ip_daddr}, "own4"}, Counter{}, nft::Reject{RejectKind::icmp_host_unreachable}}},
             {{Lookup{{Field::ip6_daddr}, "own6"}, Counter{}, nft::Reject{RejectKind::icmpv6_addr_unreachable}}},
             {{nft::Reject{RejectKind::icmpx_no_route}}},
         }},
        {"nat_post",
         Hook{ChainType::nat, HookPoint::postrouting, 90},
         {
             {{Lookup{{Field::oifname}, "lan_if", Op::ne}, NatTo{NatKind::snat, address("240.1.1.1")}}},
             {{NatTo{NatKind::snat, address("fd01:1::1")}}},
             {{Masquerade{}}},
         }},
    };
}

} // namespace

Element range(const std::string& first, const std::string& last) { return {address(first), address(last)}; }

Element mapping(const std::string& key, const std::string& data) { return {address(key), address(key), address(data)}; }

Table sample_table() {
    Table table{.sets = sample_sets(), .chains = sample_chains(), .helpers = {{"ftp", "ftp", IPPROTO_TCP}}};
    for (Set& set : table.sets) std::ranges::sort(set.elements.edit());
    return table;
}

std::vector<Change> changes_to_add(const Table& table) {
    std::vector<Change> changes{AddTable{}};
    for (const Set& set : table.sets) changes.emplace_back(AddSet{set.spec});
    for (const HelperObject& helper : table.helpers) changes.emplace_back(AddHelper{helper});
    for (const Chain& chain : table.chains) changes.emplace_back(AddChain{chain.name, chain.hook});
    for (const Set& set : table.sets)
        if (!set.elements.empty()) changes.emplace_back(AddElements{set.spec, set.elements});
    for (const Chain& chain : table.chains)
        for (const Rule& rule : chain.rules) changes.emplace_back(AddRule{chain.name, rule});
    return changes;
}

std::string sample_script() {
    return R"(
table inet natctl {
	set lan_if { type ifname; elements = { "lan0", "lan1" } }
	set own4 {
		type ipv4_addr; flags interval
		elements = { 0.0.0.0/8, 240.1.1.0/24, 240.1.2.7, 250.0.0.0-255.255.255.255 }
	}
	set own6 { type ipv6_addr; flags interval; elements = { 64:ff9b:1111::/96, ff00::/8 } }
	set from4 { type ifname . ipv4_addr; flags interval; elements = { "ov0" . 240.2.2.0/24, "ov1" . 240.2.10.3 } }
	set from6 { type ifname . ipv6_addr; flags interval; elements = { "ov0" . fd01:2::/64 } }
	set pairs { type ifname . inet_proto; }
	set protocols { type inet_proto; elements = { tcp, udp } }
	set served4 { type inet_proto . ipv4_addr; flags interval; elements = { udp . 10.0.0.0/24 } }
	set empty4 { type ipv4_addr; flags interval; }
	set white_now4 { type ipv4_addr; flags interval,timeout; elements = { 203.0.113.0/24, 255.0.0.0/8 } }
	map ways4 {
		type ipv4_addr : verdict; flags interval
		elements = {
			240.2.2.0/24 : jump in/ov0, 240.2.3.0/24 : goto matches, 240.2.4.1 : drop, 255.0.0.0/8 : return
		}
	}
	map dnat4h { type ipv4_addr : ipv4_addr; size 65536; elements = { 240.1.1.200 : 10.10.10.7 } }
	map dnat4 {
		type ipv4_addr : interval ipv4_addr; flags interval
		elements = { 240.1.1.0-240.1.1.199 : 192.168.1.0/24, 240.1.1.200-240.1.1.255 : 192.168.1.0/24 }
	}
	map dnat6h { type ipv6_addr : ipv6_addr; size 16; elements = { fd01:1::9 : fd00:a::1 } }
	map dnat6 { type ipv6_addr : interval ipv6_addr; flags interval; elements = { fd01:1::/64 : fd00:a::/64 } }
	ct helper ftp { type "ftp" protocol tcp; }
	chain pre {
		type filter hook prerouting priority mangle; policy accept;
		iifname != "lo" jump matches
		ip saddr vmap @ways4
		iifname @lan_if goto matches
		meta mark and 0xf00 == 0x200 return
		ct mark and 0xf00 != 0x400 ct mark set ct mark and 0xfffff0ff or 0x400
		meta nfproto ipv4 meta l4proto tcp counter tproxy ip to 127.0.0.1:12345 accept
		meta l4proto udp tproxy ip6 to [::1]:12346 accept
		meta mark set 0x100
	}
	chain in/ov0 {
		iifname "ov0" return
	}
	chain input {
		type filter hook input priority filter; policy accept;
	}
	chain matches {
		ip saddr 10.0.0.1 ip daddr @own4 drop
		ip6 saddr != @own6 ip6 daddr @own6 counter drop
		iifname . ip saddr != @from4 drop
		oifname . ip6 daddr @from6 return
		iifname . meta l4proto @pairs return
		meta l4proto @protocols accept
		ct state new drop
		ct status & dnat != dnat drop
		ct direction reply ct original ip saddr @own4 return
		ct original ip daddr @own4 return
		ct original ip6 saddr @own6 return
		ct original ip6 daddr @own6 return
		fib daddr oif "lo" drop
		fib daddr oif missing drop
		fib daddr type local return
		fib saddr type local return
		meta l4proto tcp socket transparent 1 socket wildcard 0 accept
		tcp dport 21 ct helper set "ftp"
		ip6 daddr @own6 icmpv6 type echo-request accept
		meta skuid 65534 return
		meta nfproto ipv6 counter ip6 saddr @own6 drop
	}
	chain nat_pre {
		type nat hook prerouting priority dstnat - 10; policy accept;
		meta l4proto tcp redirect to :12346
		dnat ip to ip daddr map @dnat4h
		dnat ip prefix to ip daddr map @dnat4
		dnat ip6 to ip6 daddr map @dnat6h
		dnat ip6 prefix to ip6 daddr map @dnat6
	}
	chain out {
		type route hook output priority mangle; policy accept;
		meta mark set meta mark and 0xfffff0ff or 0x300
	}
	chain through {
		type filter hook forward priority filter; policy accept;
		tcp flags & (syn|rst) == syn tcp option maxseg size set rt mtu
		meta l4proto tcp reject with tcp reset
		ip daddr @own4 counter reject with icmp type host-unreachable
		ip6 daddr @own6 counter reject with icmpv6 type addr-unreachable
		reject with icmpx type no-route
	}
	chain nat_post {
		type nat hook postrouting priority srcnat - 10; policy accept;
		oifname != @lan_if snat ip to 240.1.1.1
		snat ip6 to fd01:1::1
		masquerade
	}
}
)";
}

} // namespace natctl::test
