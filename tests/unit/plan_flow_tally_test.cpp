// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/find_flows.h"
#include "nftctl/plan/flow_tally.h"
#include "tests/support/fake_kernel.h"

using namespace natctl;

namespace {

/// `bytes` in each direction.
LiveFlow flow(std::uint32_t id, std::uint64_t bytes, const char* peer = "b", FlowPath path = FlowPath::link) {
    LiveFlow made{.path = path, .peer = peer};
    made.connection.id = id;
    made.connection.original.source_port = static_cast<std::uint16_t>(id);
    made.connection.sent = made.connection.received = Traffic{1, bytes};
    return made;
}

std::vector<std::uint32_t> ids(const FlowSummary& summary) {
    std::vector<std::uint32_t> result;
    for (const auto& kept : summary.foremost) result.push_back(kept.connection.id);
    return result;
}

FlowSummary summary_of(const std::vector<LiveFlow>& flows, std::size_t most) {
    FlowTally tally(most);
    for (const auto& told : flows) tally.add(told);
    return tally.take();
}

} // namespace

TEST_CASE("flows are counted by peer and path") {
    const auto summary = summary_of(
        {flow(1, 0), flow(2, 0), flow(3, 0, "c", FlowPath::tunnel), flow(4, 0, "c"), flow(5, 0, "", FlowPath::inside)},
        1);
    CHECK(summary.count == 5);
    CHECK(summary.counts == std::map<FlowSummary::Way, std::uint64_t>{{{"", FlowPath::inside}, 1},
                                                                      {{"b", FlowPath::link}, 2},
                                                                      {{"c", FlowPath::link}, 1},
                                                                      {{"c", FlowPath::tunnel}, 1}});
    CHECK(summary_of({}, 1).count == 0);
    CHECK(summary_of({flow(1, 0)}, 0).foremost.empty());
}

TEST_CASE("those with the most bytes are kept, in this order") {
    CHECK(ids(summary_of({flow(1, 10), flow(2, 30), flow(3, 20)}, 2)) == std::vector<std::uint32_t>{2, 3});
    CHECK(ids(summary_of({flow(1, 10), flow(2, 30)}, 2)) == std::vector<std::uint32_t>{2, 1});
    std::vector<LiveFlow> many;
    for (std::uint32_t i = 0; i < 1000; ++i) many.push_back(flow(i, i));
    std::shuffle(many.begin(), many.end(), std::mt19937(1));
    const auto summary = summary_of(many, 50);
    CHECK(summary.count == 1000);
    REQUIRE(summary.foremost.size() == 50);
    for (std::uint32_t i = 0; i < 50; ++i) CHECK(summary.foremost[i].connection.id == 999 - i);
}

TEST_CASE("where no bytes are kept the newest come first, and then any") {
    std::vector<LiveFlow> flows;
    for (const std::uint32_t id : {1U, 2U, 3U, 4U, 5U}) {
        auto made = flow(id, 0);
        made.connection.sent = made.connection.received = std::nullopt;
        if (id < 4) made.connection.began = id;
        flows.push_back(made);
    }
    CHECK(ids(summary_of(flows, 5)) == std::vector<std::uint32_t>{3, 2, 1, 4, 5});
    CHECK(ids(summary_of({flow(1, 1), flows[2]}, 5)) == std::vector<std::uint32_t>{1, 3});
}

TEST_CASE("a flow that is told twice is shown once") {
    auto later = flow(1, 40);
    CHECK(ids(summary_of({flow(1, 30), flow(2, 35), later}, 5)) == std::vector<std::uint32_t>{1, 2});
}

TEST_CASE("of the kernel's connections those of the site are told") {
    Site site;
    site.peers = {{.name = "b", .virtual_prefixes = {*Prefix::parse("240.2.2.0/24")}}};
    const LiveFlows flows(site);
    test::FakeKernel kernel;
    Connection mine;
    mine.original = {*Address::parse("192.168.1.20"), *Address::parse("240.2.2.20"), 40000, 80};
    mine.reply = {*Address::parse("240.2.2.20"), *Address::parse("240.1.1.20"), 80, 40000};
    mine.mark = site.marks.link().value;
    Connection marked = mine;
    marked.original.destination = marked.reply.source = *Address::parse("203.0.113.1");
    Connection other = marked;
    other.mark = 0;
    kernel.connections = {other, mine, marked};
    const auto summary = summarize_flows(kernel, flows, 50);
    CHECK(summary.count == 1);
    REQUIRE(summary.foremost.size() == 1);
    CHECK(summary.foremost[0].connection == mine);
    kernel.connection_failure = EPERM;
    CHECK_THROWS_AS(summarize_flows(kernel, flows, 50), SystemError);
}
