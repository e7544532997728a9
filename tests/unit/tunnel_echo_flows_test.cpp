// SPDX-License-Identifier: GPL-3.0-or-later
#include <deque>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include "tunnel/echo_flows.h"

using namespace natctl;
using namespace std::chrono_literals;

namespace {

constexpr EchoFlows::Clock::time_point start{1h};

EchoFlow flow(std::uint16_t identifier, const char* asker = "fd01:1::20",
              const char* asked = "64:ff9b:2222::192.168.1.20") {
    return {*Address::parse(asker), *Address::parse(asked), identifier};
}

} // namespace

TEST_CASE("a ping keeps its identifier, and is found by it") {
    EchoFlows flows;
    const auto ours = flows.identifier_for(flow(7), start);
    CHECK(flows.identifier_for(flow(7), start + 1s) == ours);
    CHECK(flows.size() == 1);
    REQUIRE(flows.find(ours));
    CHECK(*flows.find(ours) == flow(7));
    CHECK(!flows.find(static_cast<std::uint16_t>(ours + 1)));
    CHECK(!flows.find(static_cast<std::uint16_t>(ours + 4096)));
}

TEST_CASE("askers, asked and identifiers are kept apart") {
    EchoFlows flows;
    const std::vector<EchoFlow> different{flow(7), flow(8), flow(7, "fd01:1::21"),
                                          flow(7, "fd01:1::20", "64:ff9b:2222::10.10.10.5")};
    std::set<std::uint16_t> identifiers;
    for (const EchoFlow& one : different) identifiers.insert(flows.identifier_for(one, start));
    CHECK(identifiers.size() == different.size());
    for (const EchoFlow& one : different) CHECK(*flows.find(flows.identifier_for(one, start)) == one);
}

TEST_CASE("a flow that rests is forgotten, one that goes on is not") {
    EchoFlows flows(4, 60s);
    const auto resting = flows.identifier_for(flow(1), start);
    const auto busy = flows.identifier_for(flow(2), start);
    flows.identifier_for(flow(2), start + 30s);
    flows.tick(start + 60s - 1ns);
    CHECK(flows.find(resting));
    flows.tick(start + 60s);
    CHECK(!flows.find(resting));
    CHECK(flows.find(busy));
    CHECK(flows.size() == 1);
    flows.tick(start + 90s);
    CHECK(flows.size() == 0);
}

TEST_CASE("at the cap the one that rested longest goes") {
    EchoFlows flows(4, 60s);
    for (std::uint16_t i = 0; i < 4; ++i) flows.identifier_for(flow(i), start + i * 1s);
    const auto kept = flows.identifier_for(flow(0), start + 5s);
    flows.identifier_for(flow(4), start + 6s);
    CHECK(flows.size() == 4);
    CHECK(flows.identifier_for(flow(0), start + 7s) == kept);
    std::set<std::uint16_t> there;
    for (std::uint16_t i = 0; i < 0xffff; ++i)
        if (const auto* found = flows.find(i)) there.insert(found->identifier);
    CHECK(there == std::set<std::uint16_t>{0, 2, 3, 4});
}

TEST_CASE("a late answer finds nobody, also when the place has been given to another") {
    EchoFlows one(1, 60s);
    const auto gone = one.identifier_for(flow(1), start);
    const auto next = one.identifier_for(flow(2), start + 1s);
    CHECK(next != gone);
    CHECK(!one.find(gone));
    one.tick(start + 2min);
    CHECK(one.identifier_for(flow(3), start + 3min) != next);
    CHECK(!one.find(next));
}

TEST_CASE("all 65536 identifiers can be in use") {
    EchoFlows flows(1 << 16, 60s);
    for (std::uint32_t i = 0; i <= 0xffff; ++i) flows.identifier_for(flow(static_cast<std::uint16_t>(i)), start);
    CHECK(flows.size() == 1 << 16);
    for (std::uint32_t i = 0; i <= 0xffff; ++i) REQUIRE(flows.find(static_cast<std::uint16_t>(i)));
}

TEST_CASE("a long random history agrees with a simple model") {
    constexpr std::size_t capacity = 8;
    EchoFlows flows(capacity, 10s);
    std::deque<std::pair<EchoFlow, EchoFlows::Clock::time_point>> model;
    std::minstd_rand random(20);
    auto now = start;
    for (int step = 0; step < 20'000; ++step) {
        now += std::chrono::milliseconds(random() % 2000);
        if (random() % 4 == 0) {
            flows.tick(now);
            while (!model.empty() && now - model.front().second >= 10s) model.pop_front();
        } else {
            const EchoFlow asked = flow(static_cast<std::uint16_t>(random() % 12));
            std::erase_if(model, [&](const auto& known) { return known.first == asked; });
            if (model.size() == capacity) model.pop_front();
            model.emplace_back(asked, now);
            const auto* found = flows.find(flows.identifier_for(asked, now));
            REQUIRE(found);
            REQUIRE(*found == asked);
        }
        REQUIRE(flows.size() == model.size());
    }
    for (const auto& [known, used] : model) {
        const auto before = flows.size();
        flows.identifier_for(known, now);
        CHECK(flows.size() == before);
    }
}
