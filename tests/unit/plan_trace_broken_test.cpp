// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <random>

#include <doctest/doctest.h>

#include "nftctl/plan/compile.h"
#include "tests/unit/trace_sample.h"

using namespace natctl;
using namespace natctl::test;

// Machines that lack something, and plans that are not what the compiler made.

TEST_CASE("what a machine lacks is the reason that is told") {
    TraceLab lab;
    lab.listens = false;
    auto found = lab.ask("192.168.1.20", "240.3.3.20");
    CHECK(found.fate == Fate::refused);
    CHECK(found.sender_sees == "TCP reset");
    CHECK(found.reason.find("systemctl start natctl-tunnel") != std::string::npos);
    lab.facts.forwarding4 = false;
    found = lab.ask("192.168.1.20", "240.2.2.20");
    CHECK(found.fate == Fate::dropped);
    CHECK(found.reason.find("sysctl -w net.ipv4.ip_forward=1") != std::string::npos);
    CHECK(lab.ask("fd00:a::20", "fd01:2::20").passes());
}

TEST_CASE("no map for an own virtual address: the sender is told") {
    TraceLab lab;
    lab.site.maps.erase(lab.site.maps.begin());
    lab.site.maps.push_back(map("240.1.1.128/25", "192.168.1.128/25"));
    auto plan = compile(lab.site, lab.facts);
    // As if somebody had removed the map's element, and the site still called the prefix its own.
    for (auto& set : plan.table->sets)
        if (set.spec.name == "dnat4") set.elements = {};
    const auto found = trace(plan, around(lab.facts, &lab.site),
                             {.source = at("240.2.2.20"), .destination = at("240.1.1.130"), .in = "ov0"});
    CHECK(found.fate == Fate::refused);
    CHECK(found.reason.find("no map gives 240.1.1.130 to a host") != std::string::npos);
}

TEST_CASE("a plan that lost parts is followed to where it breaks, and repaired by apply") {
    const TraceLab lab;
    auto plan = compile(lab.site, lab.facts);
    std::erase_if(plan.routes, [](const Route& route) { return route.table == routing::link_table; });
    const auto surroundings = around(lab.facts, &lab.site);
    auto found =
        trace(plan, surroundings, {.source = at("192.168.1.20"), .destination = at("240.2.2.20"), .in = "lan0"});
    CHECK(found.fate == Fate::refused);
    CHECK(found.reason.find("route to peer b by ov0 is missing") != std::string::npos);

    plan = compile(lab.site, lab.facts);
    std::erase_if(plan.rules, [](const PolicyRule& rule) { return rule.priority == routing::tunnel_priority; });
    found = trace(plan, surroundings, {.source = at("192.168.1.20"), .destination = at("240.3.3.20"), .in = "lan0"});
    CHECK(!found.passes());

    found =
        trace(Plan{}, surroundings, {.source = at("192.168.1.20"), .destination = at("198.51.100.66"), .in = "lan0"});
    CHECK(found.passes());
    CHECK(found.out == "wan0");
}

TEST_CASE("what somebody wrote into the table is in doubt, and changes nothing") {
    const TraceLab lab;
    auto plan = compile(lab.site, lab.facts);
    auto& chains = plan.table->chains.edit();
    auto through = std::ranges::find(chains, "through", &nft::Chain::name);
    REQUIRE(through != chains.end());
    through->rules.insert(through->rules.begin(), {{nft::Unknown{"numgen"}, nft::Verdict{nft::VerdictKind::drop}}});
    const auto found = trace(plan, around(lab.facts, &lab.site),
                             {.source = at("192.168.1.20"), .destination = at("240.2.2.20"), .in = "lan0"});
    CHECK(found.passes());
    REQUIRE(found.doubts.size() == 1);
    CHECK(found.doubts[0].find("numgen") != std::string::npos);
}

TEST_CASE("no plan, however mutilated, and no flow brings it down") {
    std::mt19937 random(11);
    const auto pick = [&](std::size_t below) { return static_cast<std::size_t>(random() % below); };
    const std::vector<std::string> addresses{"192.168.1.20", "240.1.1.20", "240.2.2.20", "240.3.3.3",   "10.10.10.7",
                                             "127.0.0.1",    "0.0.0.0",    "224.0.0.1",  "198.51.100.1"};
    const std::vector<std::string> interfaces{"lan0", "lan1", "ov0", "wg0", "wan0", "lo", "nothing"};
    const TraceLab lab;
    const auto whole = compile(lab.site, lab.facts);
    unsigned passed = 0;
    for (int round = 0; round < 400; ++round) {
        auto plan = whole;
        auto& table = *plan.table;
        for (std::size_t cuts = pick(4); cuts > 0; --cuts) {
            if (pick(2)) table.sets.erase(table.sets.begin() + static_cast<std::ptrdiff_t>(pick(table.sets.size())));
            auto& chain = table.chains.edit()[pick(table.chains.size())];
            if (!chain.rules.empty() && pick(2))
                chain.rules.erase(chain.rules.begin() + static_cast<std::ptrdiff_t>(pick(chain.rules.size())));
            // Chains that jump in circles, which the kernel would refuse.
            if (pick(3) == 0)
                chain.rules.push_back(
                    {{nft::Verdict{nft::VerdictKind::jump, table.chains[pick(table.chains.size())].name}}});
            if (!plan.routes.empty() && pick(2))
                plan.routes.erase(plan.routes.begin() + static_cast<std::ptrdiff_t>(pick(plan.routes.size())));
        }
        Flow flow{.source = at(addresses[pick(addresses.size())]),
                  .destination = at(addresses[pick(addresses.size())]),
                  .protocol = static_cast<Protocol>(pick(3)),
                  .in = pick(4) ? interfaces[pick(interfaces.size())] : ""};
        const auto found = trace(plan, around(lab.facts, &lab.site), flow);
        passed += found.passes();
        CHECK(!found.steps.empty());
        CHECK(found.passes() == found.reason.empty());
    }
    CHECK(passed > 20);
    CHECK(passed < 380);
}
