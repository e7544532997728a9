// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <optional>

#include <doctest/doctest.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/site/site.h"
#include "tests/unit/kernel_live.h"

using namespace natctl;
using namespace natctl::test;

namespace {

Prefix prefix(const char* text) { return Prefix::parse(text).value(); }
Address address(const char* text) { return Address::parse(text).value(); }

/// A LAN and a link, as a router has them.
void add_interfaces() {
    run("ip link add lan0 type veth peer name lan0-far && ip link set lan0 up && ip link set lan0-far up");
    run("ip link add ov0 type veth peer name ov0-far && ip link set ov0 up && ip link set ov0-far up");
    run("ip addr add 192.168.1.1/24 dev lan0 && ip addr add 198.51.100.1/24 dev ov0");
    run("ip -6 addr add fd00:a::1/64 dev lan0 nodad && ip -6 addr add fd00:ee::1/64 dev ov0 nodad");
}

std::vector<Route> sample_routes() {
    std::vector<Route> routes{
        {.table = 7000,
         .destination = prefix("240.2.2.0/24"),
         .dev = "ov0",
         .via = address("198.51.100.254"),
         .source = address("192.168.1.1")},
        {.table = 7000, .destination = prefix("240.3.3.0/24"), .dev = "ov0"},
        {.table = 7000, .destination = prefix("fd01:2::/64"), .dev = "ov0", .via = address("fd00:ee::2")},
        {.table = 7001, .destination = prefix("240.2.2.0/24"), .dev = "lo", .source = address("192.168.1.1")},
        {.table = 7001, .destination = prefix("fd01:2::/64"), .dev = "lo", .source = address("fd00:a::1")},
        {.table = 7001,
         .destination = prefix("64:ff9b:1111::/96"),
         .type = RouteType::local,
         .dev = "lo",
         .source = address("fd00:a::1")},
        {.table = 7002, .destination = prefix("0.0.0.0/0"), .type = RouteType::local, .dev = "lo"},
        {.table = 7002, .destination = prefix("::/0"), .type = RouteType::local, .dev = "lo"},
        {.table = 7003, .destination = prefix("240.2.2.0/24"), .type = RouteType::unreachable},
        {.table = 7003, .destination = prefix("fd01:2::/64"), .type = RouteType::unreachable},
    };
    std::ranges::sort(routes);
    return routes;
}

std::vector<PolicyRule> sample_rules() {
    std::vector<PolicyRule> rules;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        rules.push_back(
            {.family = family, .priority = 6000, .iif = "lan0", .fwmark = Mark{0x100, 0xf00}, .table = 7002});
        rules.push_back(
            {.family = family, .priority = 6000, .iif = "absent0", .fwmark = Mark{0x100, 0xf00}, .table = 7002});
        rules.push_back({.family = family, .priority = 6001, .fwmark = Mark{0x300, 0xf00}, .table = 7002});
        rules.push_back({.family = family, .priority = 6003, .table = 7000});
        rules.push_back({.family = family, .priority = 6004, .iif = "lo", .table = 7001});
    }
    std::ranges::sort(rules);
    return rules;
}

std::string all_routes() { return run("ip route show table all; ip -6 route show table all"); }
std::string all_rules() { return run("ip rule; ip -6 rule"); }

/// What the commit's SystemError says.
std::string refused(Kernel& kernel, const Transaction& transaction, int error) {
    try {
        kernel.commit(transaction, 0);
    } catch (const SystemError& refusal) {
        CHECK(refusal.error() == error);
        return refusal.what();
    }
    FAIL("the kernel accepted it");
    return {};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("routes and rules are read as written, and writing them twice is fine") {
    const FreshNamespace fresh;
    add_interfaces();
    const auto kernel = make_linux_kernel();
    for (int round = 0; round < 2; ++round) {
        kernel->commit({.add_routes = sample_routes(), .add_rules = sample_rules()}, 0);
        const Snapshot snapshot = kernel->read();
        CHECK(snapshot.plan.routes == sample_routes());
        CHECK(snapshot.plan.rules == sample_rules());
    }
    CHECK(
        contains(all_routes(), "240.2.2.0/24 via 198.51.100.254 dev ov0 table 7000 proto 117 src 192.168.1.1 onlink"));
    CHECK(contains(all_routes(), "240.3.3.0/24 dev ov0 table 7000 proto 117 scope link"));
    CHECK(contains(all_routes(), "local default dev lo table 7002 proto 117"));
    CHECK(contains(all_rules(), "6000:\tfrom all fwmark 0x100/0xf00 iif lan0 lookup 7002 proto 117"));

    const Transaction removal{.remove_routes_first = sample_routes(), .remove_rules = sample_rules()};
    for (int round = 0; round < 2; ++round) {
        kernel->commit(removal, 0);
        CHECK(kernel->read().plan == Plan{});
    }
}

TEST_CASE("a route of ours is replaced by the next one to the same destination") {
    const FreshNamespace fresh;
    add_interfaces();
    const auto kernel = make_linux_kernel();
    for (const char* destination : {"240.2.2.0/24", "fd01:2::/64"}) {
        CAPTURE(destination);
        const Route one{.table = 7000, .destination = prefix(destination), .dev = "ov0"};
        const Route two{.table = 7000, .destination = prefix(destination), .dev = "lan0"};
        const Route three{.table = 7000, .destination = prefix(destination), .type = RouteType::unreachable};
        for (const Route& route : {one, two, three, one}) {
            kernel->commit({.add_routes = {route}}, 0);
            CHECK(kernel->read().plan.routes == std::vector{route});
        }
        // Removing what was replaced leaves the new one alone.
        kernel->commit({.remove_routes_last = {two}}, 0);
        CHECK(kernel->read().plan.routes == std::vector{one});
        kernel->commit({.remove_routes_last = {one}}, 0);
    }
}

TEST_CASE("a link without an address of the gateway's network gets its routes all the same") {
    const FreshNamespace fresh;
    add_interfaces();
    run("ip addr flush dev ov0");
    const auto kernel = make_linux_kernel();
    kernel->commit({.add_routes = sample_routes()}, 0);
    CHECK(kernel->read().plan.routes == sample_routes());
}

TEST_CASE("what others put there stays and is not ours") {
    const FreshNamespace fresh;
    add_interfaces();
    run("ip route add 240.2.2.0/24 dev lan0 table 7000 && ip route add 240.2.2.0/24 dev ov0");
    run("ip -6 route add fd01:2::/64 dev lan0 table 7000");
    run("ip rule add pref 6003 lookup 7000 && ip -6 rule add pref 6003 lookup 7000");
    run("ip rule add pref 6004 iif lo lookup 7001 && ip rule add pref 32000 lookup 7000");
    // By our protocol, of a kind that we never make.
    run("ip route add 240.4.4.0/24 table 7000 proto 117 nexthop dev lan0 nexthop dev ov0");
    const std::string routes = all_routes();
    const std::string rules = all_rules();
    const auto kernel = make_linux_kernel();
    CHECK(kernel->read().plan == Plan{});

    for (const char* destination : {"240.2.2.0/24", "fd01:2::/64"}) {
        const Route route{.table = 7000, .destination = prefix(destination), .dev = "ov0"};
        const std::string text = refused(*kernel, {.add_routes = {route}}, EEXIST);
        CHECK_MESSAGE(contains(text, "cannot add route " + std::string(destination) + " dev ov0 in table 7000"), text);
        CHECK_MESSAGE(contains(text, "somebody else's route (protocol 3)"), text);
        kernel->commit({.remove_routes_first = {{.table = 7000, .destination = prefix(destination), .dev = "lan0"}}},
                       0);
    }
    // The kernel keeps the same rule of ours beside theirs.
    const PolicyRule rule{.family = Family::ipv4, .priority = 6003, .table = 7000};
    const PolicyRule rule6{.family = Family::ipv6, .priority = 6003, .table = 7000};
    kernel->commit({.add_rules = {rule, rule6}}, 0);
    CHECK(kernel->read().plan.rules == std::vector{rule, rule6});
    kernel->commit({.remove_rules = {rule, rule6}}, 0);
    kernel->commit({.remove_rules = {rule, rule6}}, 0);
    CHECK(all_routes() == routes);
    CHECK(all_rules() == rules);
}

TEST_CASE("refusals of routes say what to do") {
    const FreshNamespace fresh;
    add_interfaces();
    run("ip link add down0 type veth peer name down0-far");
    const auto kernel = make_linux_kernel();
    const Prefix destination = prefix("240.2.2.0/24");
    const Prefix destination6 = prefix("fd01:2::/64");
    CHECK(contains(
        refused(*kernel, {.add_routes = {{.table = 7000, .destination = destination, .dev = "absent0"}}}, ENODEV),
        "there is no interface absent0"));
    for (const Prefix& to : {destination, destination6})
        CHECK(contains(refused(*kernel, {.add_routes = {{.table = 7000, .destination = to, .dev = "down0"}}}, ENETDOWN),
                       "interface down0 is down: ip link set down0 up"));
    for (const auto& [to, own] :
         {std::pair(destination, address("127.0.0.1")), std::pair(destination6, address("::1"))})
        CHECK(contains(
            refused(*kernel, {.add_routes = {{.table = 7000, .destination = to, .dev = "ov0", .via = own}}}, EINVAL),
            own.text() + " must be the other router's address, a neighbour on ov0"));
    CHECK(contains(
        refused(
            *kernel,
            {.add_routes = {{.table = 7000, .destination = destination, .dev = "ov0", .source = address("10.9.9.9")}}},
            EINVAL),
        "10.9.9.9 must be an address of this machine"));
    run("sysctl -q -w net.ipv6.conf.ov0.disable_ipv6=1");
    CHECK(
        contains(refused(*kernel, {.add_routes = {{.table = 7000, .destination = destination6, .dev = "ov0"}}}, EACCES),
                 "IPv6 is off there: sysctl -w net.ipv6.conf.ov0.disable_ipv6=0"));
    CHECK(kernel->read().plan == Plan{});
}

TEST_CASE("routes that the kernel dropped with their interface are gone without complaint") {
    const FreshNamespace fresh;
    add_interfaces();
    const auto kernel = make_linux_kernel();
    const Route route{.table = 7000, .destination = prefix("240.2.2.0/24"), .dev = "ov0"};
    const Route route6{.table = 7000, .destination = prefix("fd01:2::/64"), .dev = "ov0"};
    kernel->commit({.add_routes = {route, route6}}, 0);
    run("ip link set ov0 down");
    CHECK(kernel->read().plan.routes.empty());
    kernel->commit({.remove_routes_first = {route, route6}}, 0);
    run("ip link del ov0");
    kernel->commit({.remove_routes_first = {route, route6}}, 0);
}

TEST_CASE("facts: interfaces, addresses, forwarding") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    add_interfaces();
    run("ip addr add 192.168.1.2/24 dev lan0 && ip addr add 10.10.10.10/24 dev lan0");
    run("ip addr add 10.0.0.1 peer 10.0.0.2/32 dev ov0 && ip link add down0 type veth peer name down0-far");
    run("sysctl -q -w net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=1");
    const Facts facts = kernel->read_facts(Site{});
    REQUIRE(facts.find("lan0") != nullptr);
    const Interface& lan = *facts.find("lan0");
    CHECK(lan.up);
    CHECK(lan.index != 0);
    CHECK(lan.addresses == std::vector<InterfaceAddress>{{address("192.168.1.1"), 24},
                                                         {address("10.10.10.10"), 24},
                                                         {address("192.168.1.2"), 24},
                                                         {address("fd00:a::1"), 64}});
    // The newest comes last where it is on its way out.
    run("ip addr add fd00:a::9/64 dev lan0 nodad valid_lft 1000 preferred_lft 0");
    CHECK(kernel->read_facts(Site{}).find("lan0")->addresses.back() == InterfaceAddress{address("fd00:a::9"), 64});
    CHECK(facts.find("ov0")->addresses.at(1) == InterfaceAddress{address("10.0.0.1"), 32});
    CHECK(facts.find("lo")->index == 1);
    CHECK(!facts.find("down0")->up);
    CHECK(facts.find("absent0") == nullptr);
    CHECK(!facts.forwarding4);
    CHECK(facts.forwarding6);
    run("sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=0");
    CHECK(kernel->read_facts(Site{}).forwarding4);
    CHECK(!kernel->read_facts(Site{}).forwarding6);
}

TEST_CASE("facts: a kernel that was asked before sees every change of an interface, however many there were") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    const auto find = [&](const std::string& name) -> std::optional<Interface> {
        const Facts facts = kernel->read_facts(Site{});
        const auto* const found = facts.find(name);
        return found ? std::optional(*found) : std::nullopt;
    };
    CHECK(!find("lan0"));
    add_interfaces();
    REQUIRE(find("lan0"));
    CHECK(find("lan0") == find("lan0"));
    CHECK(find("lan0")->up);
    run("ip link set lan0-far down");
    CHECK(!find("lan0")->up);
    run("ip link set lan0-far up && ip link set lan0 down && ip link set lan0 name lan9 && ip link set lan9 up");
    CHECK(!find("lan0"));
    REQUIRE(find("lan9"));
    CHECK(find("lan9")->up);
    // More news than the kernel keeps for who does not ask.
    run("for i in $(seq 10000); do echo link set lan9 alias $i; done | ip -batch -");
    run("ip link set lan9 down && ip link set lan9 name lan1");
    CHECK(!find("lan9"));
    REQUIRE(find("lan1"));
    CHECK(!find("lan1")->up);
    run("ip link delete lan1");
    CHECK(!find("lan1"));
}
