// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "agent/kernel_events.h"
#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/memory.h"
#include "nftctl/kernel/nftables.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/kernel/upkeep.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/kernel_live.h"

using namespace natctl;
using namespace natctl::test;

namespace {

constexpr const char* site_text = R"(
site = "a"
lan  = "lan0"
[[map]]
virtual = "240.1.1.0/24"
real    = "192.168.1.0/24"
[[peer]]
name    = "b"
virtual = "240.2.2.0/24"
link    = { dev = "ov0" }
[white_list]
endpoints = ["proxy.test"]
)";

/// In an order that says nothing.
std::vector<Cause> causes_of(const std::vector<KernelEvent>& events) {
    std::vector<Cause> causes;
    for (const auto& event : events) causes.push_back(event.cause);
    std::ranges::sort(causes);
    causes.erase(std::unique(causes.begin(), causes.end()), causes.end());
    return causes;
}

/// The kernel tells of a carrier a moment later.
void await_carrier(const std::string& interface) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (run("ip -o link show " + interface).find("state UP") == std::string::npos)
        REQUIRE(std::chrono::steady_clock::now() < end);
}

bool tells(const std::vector<KernelEvent>& events, Cause cause, const std::string& what) {
    return std::ranges::any_of(events,
                               [&](const KernelEvent& event) { return event.cause == cause && event.what == what; });
}

/// A namespace with the interfaces of a site, and its directories.
struct Router {
    FreshNamespace fresh;
    TemporaryDirectory state;
    TemporaryDirectory run_dir;
    Options options;
    Endpoints endpoints;
    Upkeep upkeep{make_options(), {.find = [this](const Site&) { return endpoints; }}};

    Router() {
        options = make_options();
        run("ip link add lan0 type veth peer name far0 && ip link add ov0 type veth peer name far1 && "
            "for i in lan0 far0 ov0 far1; do ip link set $i up; done && ip address add 192.168.1.1/24 dev lan0");
        await_carrier("ov0");
    }
    Options make_options() const { return {.run_dir = run_dir.path(), .state_dir = state.path()}; }
    void apply_text(const std::string& text) { PreparedFile(StatePaths(state.path()).applied, text).publish(); }
    /// Whether natctl would have to read the table.
    bool is_known() const {
        const auto seen = Memory(run_dir.path()).recall();
        return seen && seen->generation == nft::Nftables().generation();
    }
};

} // namespace

TEST_CASE("interfaces and addresses are heard of, and of routes and rules ours that go") {
    const FreshNamespace fresh;
    RouteEvents events;
    CHECK(events.take().empty());
    run("ip link add ppp0 type veth peer name far0");
    events.take();
    run("ip link set ppp0 up && ip link set far0 up");
    await_carrier("ppp0");
    await_carrier("far0");
    CHECK(tells(events.take(), Cause::link, "ppp0"));
    run("ip address add 192.0.2.1/32 dev ppp0");
    CHECK(tells(events.take(), Cause::address, "+192.0.2.1"));
    // The same once more, and other properties of the interface.
    run("ip link set ppp0 mtu 1400 && ip link set ppp0 up");
    CHECK(!tells(events.take(), Cause::link, "ppp0"));

    run("ip route add 198.51.100.0/24 dev ppp0 && ip route del 198.51.100.0/24 dev ppp0 && "
        "ip rule add pref 77 lookup main && ip rule del pref 77");
    run("ip route add 240.2.2.0/24 dev ppp0 table 7000 proto 117 && ip rule add pref 6003 lookup 7000 proto 117");
    auto heard = events.take();
    CHECK(!tells(heard, Cause::route, ""));
    CHECK(!tells(heard, Cause::rule, ""));
    run("ip route del 240.2.2.0/24 dev ppp0 table 7000");
    CHECK(tells(events.take(), Cause::route, ""));
    run("ip rule del pref 6003");
    CHECK(tells(events.take(), Cause::rule, ""));
    run("ip link del ppp0");
    CHECK(tells(events.take(), Cause::link, "-ppp0"));
}

TEST_CASE("more events than there is room for are as good as all of them") {
    const FreshNamespace fresh;
    RouteEvents events;
    std::string batch;
    for (int i = 0; i < 40000; ++i)
        batch += "address " + std::string(i % 2 == 0 ? "add" : "del") + " 192.0.2.1/32 dev lo\n";
    const TemporaryDirectory directory;
    const std::string path = std::string(directory.path()) + "/batch";
    std::ofstream(path) << batch;
    run("ip -batch " + path);
    CHECK(causes_of(events.take()) == std::vector{Cause::address, Cause::missed_events});
    CHECK(events.take().empty());
}

TEST_CASE("changes of our table are heard of with their author, but for our own") {
    const FreshNamespace fresh;
    TableEvents events;
    load("add table inet natctl\nadd set inet natctl s { type ipv4_addr; }");
    const auto heard = events.take();
    REQUIRE(heard.size() == 1);
    CHECK(heard.front().cause == Cause::table);
    CHECK(heard.front().by.starts_with("nft (process "));
    CHECK(!events.foreign());
    load("add element inet natctl s { 192.0.2.1 }");
    CHECK(events.take().size() == 1);

    load("add table inet other\nadd chain inet other natctl");
    load("add table ip natctl");
    CHECK(events.take().empty());
    REQUIRE(events.foreign());
    CHECK(events.foreign()->first + 1 == events.foreign()->last);
    CHECK(events.foreign()->last == nft::Nftables().generation());

    load("flush ruleset");
    CHECK(events.take().size() == 1);
    CHECK(!events.foreign());
    // Ours, and then somebody else again.
    const Site site{.name = "a"};
    apply(*make_linux_kernel(), site);
    load("add table ip natctl");
    CHECK(events.take().empty());
    REQUIRE(events.foreign());
    CHECK(events.foreign()->first == events.foreign()->last);
}

TEST_CASE("what is applied is kept up") {
    Router router;
    CHECK(!router.upkeep.look().site);
    router.apply_text(site_text);
    auto look = router.upkeep.look();
    REQUIRE(look.site);
    CHECK(look.site->name == "a");
    CHECK(look.change.makes_table_anew());
    const auto site = look.site;
    look = router.upkeep.look();
    CHECK(look.change.empty());
    CHECK(look.site == site);

    CHECK(router.upkeep.set_sizes().at("peer4") == 1);
    CHECK(router.upkeep.set_sizes().at("white4") == 0);

    // Facts.
    router.endpoints = {{"proxy.test", {*Address::parse("198.51.100.7")}}};
    CHECK(!router.upkeep.look().change.empty());
    CHECK(run("nft list set inet natctl white4").find("198.51.100.7") != std::string::npos);
    CHECK(router.upkeep.set_sizes().at("white4") == 1);
    run("ip link set ov0 down");
    CHECK(!router.upkeep.look().change.empty());
    run("ip link set ov0 up");
    await_carrier("ov0");
    CHECK(!router.upkeep.look().change.empty());

    // Others.
    for (const char* command : {"nft flush ruleset", "nft flush chain inet natctl forged", "ip route flush table 7003",
                                "ip rule del pref 6003", "nft delete element inet natctl white4 { 198.51.100.7 }"}) {
        CAPTURE(command);
        run(command);
        CHECK(!router.upkeep.look().change.empty());
        CHECK(router.upkeep.look().change.empty());
    }

    // Another configuration, by natctl; and none.
    std::string other = site_text;
    other.replace(other.find("240.2.2.0"), 9, "240.4.4.0");
    router.apply_text(other);
    look = router.upkeep.look();
    CHECK(look.site != site);
    CHECK(!look.change.empty());
    CHECK(run("nft list table inet natctl").find("240.4.4.0") != std::string::npos);
    remove_file(StatePaths(router.state.path()).applied);
    run("nft flush ruleset");
    CHECK(!router.upkeep.look().site);
    CHECK(router.upkeep.set_sizes().empty());
    CHECK(run("nft list ruleset").empty());
}

TEST_CASE("changes of other tables leave ours known, those of ours do not") {
    Router router;
    router.apply_text(site_text);
    router.upkeep.look();
    TableEvents events;
    const auto follow = [&] {
        events.take();
        if (const auto& foreign = events.foreign()) router.upkeep.follow(foreign->first, foreign->last);
    };
    CHECK(router.is_known());
    load("add table inet other");
    load("add chain inet other natctl");
    CHECK(!router.is_known());
    follow();
    CHECK(router.is_known());
    CHECK(router.upkeep.look().change.empty());
    load("add table inet third");
    follow();
    CHECK(router.is_known());

    load("flush chain inet natctl forged");
    load("add chain inet third natctl");
    follow();
    CHECK(!router.is_known());
    CHECK(!router.upkeep.look().change.empty());
    CHECK(router.is_known());
}
