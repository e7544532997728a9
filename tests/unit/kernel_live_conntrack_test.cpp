// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <doctest/doctest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sys/socket.h>

#include "nftctl/kernel/conntrack.h"
#include "nftctl/kernel/conntrack_codec.h"
#include "nftctl/kernel/netlink.h"
#include "tests/unit/kernel_live.h"

using namespace natctl;
using namespace natctl::test;

namespace {

Address at(const char* text) { return Address::parse(text).value(); }

/// conntrack is switched on for a namespace, and NAT for connections, by rules that want them.
void want_conntrack() {
    load("table inet other {\n"
         "  chain state { type filter hook prerouting priority 0; ct state new counter; }\n"
         "  chain nat { type nat hook postrouting priority 100; }\n"
         "}\n");
}

void add(const std::string& what) { run("conntrack -I --timeout 600 " + what); }

std::vector<Connection> all(Conntrack& conntrack, const ConnectionFilter& filter = {}) {
    auto found = conntrack.find({&filter, 1}, [](const Connection&) { return true; });
    std::ranges::sort(found, {}, &Connection::original);
    return found;
}

/// How many entries the kernel sends for it.
unsigned sent(const ConnectionFilter& filter) {
    netlink::Socket socket(NETLINK_NETFILTER);
    netlink::Message message(conntrack_message(IPCTNL_MSG_CT_GET), 0);
    message.put_extra<nfgenmsg>()->nfgen_family = filter.family == Family::ipv4 ? AF_INET : AF_INET6;
    put_filter(*message.header(), filter);
    unsigned count = 0;
    REQUIRE(socket.dump(message, [&](const nlmsghdr&) { ++count; }).error == 0);
    return count;
}

Connection only(Conntrack& conntrack) {
    auto found = all(conntrack);
    REQUIRE(found.size() == 1);
    return found[0];
}

} // namespace

TEST_CASE("connections are read as the conntrack tool made them") {
    const FreshNamespace fresh;
    want_conntrack();
    Conntrack conntrack;
    CHECK(all(conntrack).empty());
    CHECK(conntrack.count() == 0U);

    add("-p tcp -s 192.168.1.20 -d 240.2.2.20 --sport 40000 --dport 80 --state ESTABLISHED -n 240.1.1.20 -m 0x400");
    CHECK(conntrack.count() == 1U);
    const auto out = only(conntrack);
    CHECK(out.protocol == 6);
    CHECK(out.original == Tuple{at("192.168.1.20"), at("240.2.2.20"), 40000, 80, {}});
    CHECK(out.reply == Tuple{at("240.2.2.20"), at("240.1.1.20"), 80, 40000, {}});
    CHECK(out.mark == 0x400);
    CHECK((out.status & connection_dnat) == 0);
    CHECK(out.tcp_state == 3);
    CHECK((out.timeout > 590 && out.timeout <= 600));
    CHECK_FALSE(out.sent);
    CHECK_FALSE(out.began);

    run("conntrack -F");
    add("-p udp -s fd01:2::20 -d fd01:1::20 --sport 5000 --dport 53 -g fd00:a::20");
    const auto in = only(conntrack);
    CHECK(in.family() == Family::ipv6);
    CHECK(in.protocol == 17);
    CHECK(in.original.destination == at("fd01:1::20"));
    CHECK(in.reply.source == at("fd00:a::20"));
    CHECK((in.status & connection_dnat) != 0);

    run("conntrack -F");
    add("-p icmp -s 192.168.1.20 -d 240.2.2.20 --icmp-type 8 --icmp-code 0 --icmp-id 77");
    const auto ping = only(conntrack);
    CHECK(ping.original.icmp == IcmpQuery{.id = 77, .type = 8, .code = 0});
    CHECK(ping.original.source_port == 0);
}

TEST_CASE("bytes and age are there where the kernel keeps them") {
    const FreshNamespace fresh;
    want_conntrack();
    run("sysctl -qw net.netfilter.nf_conntrack_acct=1 net.netfilter.nf_conntrack_timestamp=1");
    Conntrack conntrack;
    run("ping -n -c1 -W5 127.0.0.1");
    const auto ping = only(conntrack);
    REQUIRE(ping.sent);
    REQUIRE(ping.received);
    CHECK(*ping.sent == Traffic{1, 84});
    CHECK(*ping.received == Traffic{1, 84});
    CHECK(ping.began);
}

TEST_CASE("filters give what they say, one by one and together") {
    const FreshNamespace fresh;
    want_conntrack();
    Conntrack conntrack;
    add("-p udp -s 192.168.1.20 -d 240.2.2.20 --sport 1 --dport 9 -n 240.1.1.20 -m 0x400");
    add("-p udp -s 192.168.1.20 -d 240.2.2.20 --sport 2 --dport 9 -m 0x100");
    add("-p udp -s 240.2.2.20 -d 240.1.1.20 --sport 3 --dport 9 -g 192.168.1.20 -m 0x400");
    add("-p udp -s fd00:a::20 -d fd01:2::20 --sport 4 --dport 9");
    const auto ports = [&](const ConnectionFilter& filter) {
        std::vector<unsigned> result;
        for (const auto& c : all(conntrack, filter)) result.push_back(c.original.source_port);
        std::ranges::sort(result);
        return result;
    };
    const Mark dnat{connection_dnat, connection_dnat};
    const Mark no_dnat{0, connection_dnat};
    const Mark link{0x400, 0xf00};
    CHECK(ports({}) == std::vector{1u, 2u, 3u, 4u});
    CHECK(ports({.family = Family::ipv6}) == std::vector{4u});
    CHECK(ports({.mark = link}) == std::vector{1u, 3u});
    CHECK(ports({.status = dnat}) == std::vector{3u});
    CHECK(ports({.mark = link, .status = no_dnat}) == std::vector{1u});

    const std::vector<ConnectionFilter> filters{
        {.status = dnat}, {.mark = link, .status = no_dnat}, {.mark = Mark{0x100, 0xf00}}};
    const auto wanted = [](const Connection& c) { return c.original.source_port != 2; };
    CHECK(conntrack.find(filters, wanted).size() == 2);
}

TEST_CASE("filters by address give what they say, by whatever the kernel can compare") {
    const FreshNamespace fresh;
    want_conntrack();
    Conntrack conntrack;
    add("-p udp -s 192.168.1.20 -d 240.2.2.20 --sport 1 --dport 9 -n 240.1.1.20 -m 0x400");
    add("-p icmp -s 192.168.1.20 -d 240.2.2.21 --icmp-type 8 --icmp-code 0 --icmp-id 2");
    add("-p udp -s 240.2.2.20 -d 240.1.1.20 --sport 3 --dport 9 -g 192.168.1.20 -m 0x400 --zone 7");
    add("-p udp -s fd00:a::20 -d fd01:2::20 --sport 4 --dport 9");
    add("-p udp -s fd00:a::21 -d fd01:2::20 --sport 5 --dport 9");
    const auto ids = [&](const ConnectionFilter& filter) {
        std::vector<unsigned> result;
        for (const auto& c : all(conntrack, filter))
            result.push_back(c.original.icmp ? c.original.icmp->id : c.original.source_port);
        std::ranges::sort(result);
        return result;
    };
    const auto ipv4 = Family::ipv4;
    CHECK(ids({.family = ipv4, .original = {.source = at("192.168.1.20")}}) == std::vector{1u, 2u});
    CHECK(ids({.family = ipv4, .original = {.destination = at("240.2.2.20")}}) == std::vector{1u});
    CHECK(ids({.family = ipv4, .original = {.source = at("192.168.1.20"), .destination = at("240.2.2.21")}}) ==
          std::vector{2u});
    CHECK(ids({.family = ipv4, .reply = {.source = at("192.168.1.20")}}) == std::vector{3u});
    CHECK(ids({.family = ipv4, .reply = {.destination = at("240.1.1.20")}}) == std::vector{1u});
    CHECK(ids({.family = ipv4, .mark = Mark{0x400, 0xf00}, .original = {.source = at("192.168.1.20")}}) ==
          std::vector{1u});
    CHECK(ids({.family = ipv4, .original = {.source = at("192.168.1.99")}}).empty());
    // It is the kernel that selects, but for IPv6.
    CHECK(sent({.family = ipv4, .original = {.destination = at("240.2.2.20")}}) == 1);
    CHECK(sent({.family = ipv4, .reply = {.source = at("192.168.1.20")}}) == 1);
    CHECK(sent({.family = ipv4, .reply = {.destination = at("240.9.9.9")}}) == 0);
    CHECK(sent({.family = Family::ipv6, .original = {.source = at("fd00:a::20")}}) == 2);
    // Without a family the kernel refuses, and all are read.
    CHECK(ids({.original = {.source = at("192.168.1.20")}}) == std::vector{1u, 2u});
    CHECK(ids({.family = Family::ipv6, .original = {.source = at("fd00:a::20")}}) == std::vector{4u});
    CHECK(ids({.original = {.destination = at("fd01:2::20")}}) == std::vector{4u, 5u});

    const std::vector<ConnectionFilter> filters{{.family = ipv4, .original = {.source = at("192.168.1.20")}},
                                                {.family = ipv4, .original = {.destination = at("240.9.9.9")}},
                                                {.family = ipv4, .reply = {.source = at("192.168.1.20")}},
                                                {.family = ipv4, .reply = {.destination = at("240.9.9.9")}}};
    CHECK(conntrack.find(filters, [](const Connection&) { return true; }).size() == 3);
}

TEST_CASE("exactly the given ones are deleted, however many") {
    const FreshNamespace fresh;
    want_conntrack();
    Conntrack conntrack;
    add("-p tcp -s 192.168.1.20 -d 240.2.2.20 --sport 1 --dport 80 --state ESTABLISHED -n 240.1.1.20");
    add("-p tcp -s 192.168.1.20 -d 240.2.2.20 --sport 2 --dport 80 --state ESTABLISHED -n 240.1.1.20");
    add("-p icmp -s 192.168.1.20 -d 240.2.2.20 --icmp-type 8 --icmp-code 0 --icmp-id 77");
    add("-p icmp -s 192.168.1.20 -d 240.2.2.20 --icmp-type 8 --icmp-code 0 --icmp-id 78");
    add("-p udp -s fd00:a::20 -d fd01:2::20 --sport 4 --dport 9");
    add("-p udp -s 192.168.1.20 -d 240.2.2.20 --sport 5 --dport 9 --zone 7");
    add("-p udp -s 192.168.1.20 -d 240.2.2.20 --sport 5 --dport 9");
    add("-p gre -s 192.168.1.20 -d 240.2.2.20 --srckey 1 --dstkey 2");
    const auto before = all(conntrack);
    REQUIRE(before.size() == 8);
    for (const auto& one : before) {
        CAPTURE(one.protocol);
        CAPTURE(one.zone);
        CHECK(conntrack.remove({&one, 1}) == 1);
        CHECK(std::ranges::count(all(conntrack), one.id, &Connection::id) == 0);
        CHECK(conntrack.remove({&one, 1}) == 0);
    }
    CHECK(all(conntrack).empty());

    // Another one in its place is not it.
    add("-p tcp -s 192.168.1.20 -d 240.2.2.20 --sport 1 --dport 80 --state ESTABLISHED -n 240.1.1.20");
    auto other = only(conntrack);
    other.id ^= 1;
    CHECK(conntrack.remove({&other, 1}) == 0);
    CHECK(all(conntrack).size() == 1);
}
