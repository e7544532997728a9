// SPDX-License-Identifier: GPL-3.0-or-later
#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <vector>

#include <doctest/doctest.h>

#include "agent/flow_pace.h"
#include "agent/flow_reader.h"
#include "agent/loop.h"

using namespace natctl;
using namespace std::chrono_literals;

namespace {

/// Connections that take as long to read as the test wants.
struct Flows {
    Loop loop;
    std::atomic<unsigned> readings = 0;
    std::atomic<bool> held = false;
    std::atomic<bool> fails = false;
    FlowReader reader{loop,
                      [this](const LiveFlows&) {
                          while (held) continue;
                          if (fails) throw std::runtime_error("no connections");
                          return FlowSummary{.count = ++readings};
                      },
                      FlowPace(1h)};
    std::vector<std::shared_ptr<const FlowReading>> told;

    void ask() {
        reader.ask([this](const auto& reading) { told.push_back(reading); });
    }
    void wait_for(std::size_t count) {
        const auto end = Loop::Clock::now() + 20s;
        while (told.size() < count && Loop::Clock::now() < end) loop.wait(end);
        REQUIRE(told.size() == count);
    }
};

std::shared_ptr<const Site> some_site() { return std::make_shared<const Site>(); }

} // namespace

TEST_CASE("flows are read every two seconds at most, and in a fiftieth of the time") {
    const FlowPace::Time begin{1000s};
    FlowPace pace;
    CHECK(pace.allows(begin));
    CHECK(pace.allows(FlowPace::Time{}));
    pace.done(begin, begin + 1ms);
    CHECK(!pace.allows(begin + 1999ms));
    CHECK(pace.allows(begin + 2s));
    pace.done(begin, begin + 20ms);
    CHECK(pace.allows(begin + 2s));
    pace.done(begin, begin + 30ms);
    CHECK(pace.allows(begin + 2s));
    pace.done(begin, begin + 100ms);
    CHECK(!pace.allows(begin + 5099ms));
    CHECK(pace.allows(begin + 5100ms));
}

TEST_CASE("all who ask before it is time for another one share a reading") {
    Flows flows;
    const auto site = some_site();
    flows.reader.follow(site);
    flows.held = true;
    flows.ask();
    flows.ask();
    CHECK(flows.told.empty());
    flows.held = false;
    flows.wait_for(2);
    flows.ask();
    REQUIRE(flows.told.size() == 3);
    CHECK(flows.readings == 1);
    REQUIRE(flows.told[0]);
    CHECK(flows.told[0]->flows.count == 1);
    CHECK(flows.told[0]->site == site);
    CHECK(flows.told[1] == flows.told[0]);
    CHECK(flows.told[2] == flows.told[0]);
}

TEST_CASE("flows of another site are not shown") {
    Flows flows;
    flows.ask();
    REQUIRE(flows.told.size() == 1);
    CHECK(!flows.told[0]);
    flows.reader.follow(some_site());
    flows.held = true;
    flows.ask();
    flows.reader.follow(some_site());
    flows.held = false;
    flows.wait_for(2);
    CHECK(!flows.told[1]);
    CHECK(flows.readings == 1);
    flows.ask();
    CHECK(!flows.told.at(2));
}

TEST_CASE("who wants no thread to read waits for it") {
    Flows flows;
    flows.reader.finish();
    flows.reader.follow(some_site());
    flows.ask();
    flows.reader.finish();
    CHECK(flows.readings == 1);
    CHECK(flows.told.size() == 1);
    flows.reader.finish();
    flows.loop.wait(Loop::Clock::now());
    CHECK(flows.told.size() == 1);
}

TEST_CASE("what cannot be read is told, and a reader may go while it reads") {
    Flows flows;
    flows.fails = true;
    flows.reader.follow(some_site());
    flows.ask();
    flows.wait_for(1);
    CHECK(flows.told[0]->failure == "no connections");
    Flows others;
    others.reader.follow(some_site());
    others.ask();
}
