// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>

#include <doctest/doctest.h>

#include "agent/link_hold.h"

using namespace natctl;
using namespace std::chrono_literals;

namespace {

/// A peer that is reached by wg0, else by wg1, and the time.
struct Scene {
    LinkHold::Time now{1000s};
    LinkHold hold{5s};
    Site site;
    bool wg0 = true;
    bool wg1 = true;

    Scene() {
        site.peers = {{.name = "b",
                       .virtual_prefixes = {*Prefix::parse("240.2.2.0/24")},
                       .links = {DevLink{.dev = "wg0"}, DevLink{.dev = "wg1"}},
                       .at = {}}};
    }
    /// The interfaces that are believed to be up.
    std::string up() {
        Facts facts;
        facts.interfaces = {{"wg0", 2, wg0, {}}, {"wg1", 3, wg1, {}}};
        hold.adjust(site, facts, now);
        std::string names;
        for (const auto& interface : facts.interfaces)
            if (interface.up) names += interface.name + " ";
        return names;
    }
    std::string said() {
        std::string text;
        for (const auto& line : hold.messages()) text += line + "\n";
        return text;
    }
};

} // namespace

TEST_CASE("a link that goes is believed at once, and one that comes back only after a while") {
    Scene scene;
    CHECK(scene.up() == "wg0 wg1 ");
    CHECK(scene.said().empty());
    scene.wg0 = false;
    CHECK(scene.up() == "wg1 ");
    CHECK(scene.said() == "wg0 is down: new flows take the next link of its peers\n");
    CHECK(scene.hold.due() == LinkHold::Time::max());
    scene.now += 1s;
    scene.wg0 = true;
    CHECK(scene.up() == "wg1 ");
    CHECK(scene.hold.due() == scene.now + 5s);
    scene.now += 4s;
    CHECK(scene.up() == "wg1 ");
    CHECK(scene.said() == "wg0 is up again, and used when it stays so for 5 s\n");
    scene.now += 1s;
    CHECK(scene.up() == "wg0 wg1 ");
    CHECK(scene.said() == "wg0 is up, and used again\n");
    CHECK(scene.hold.due() == LinkHold::Time::max());
}

TEST_CASE("each failure begins the wait anew") {
    Scene scene;
    scene.up();
    for (int i = 0; i < 20; ++i) {
        scene.wg0 = false;
        CHECK(scene.up() == "wg1 ");
        scene.now += 1s;
        scene.wg0 = true;
        CHECK(scene.up() == "wg1 ");
        scene.now += 4s;
        CHECK(scene.up() == "wg1 ");
    }
    scene.now += 1s;
    CHECK(scene.up() == "wg0 wg1 ");
}

TEST_CASE("where there is no other way nothing waits") {
    Scene scene;
    scene.up();
    scene.wg0 = false;
    scene.wg1 = false;
    CHECK(scene.up().empty());
    scene.wg0 = true;
    CHECK(scene.up() == "wg0 ");
    // One that is first seen when it comes has not failed.
    Scene late;
    late.wg0 = false;
    CHECK(late.up() == "wg1 ");
    late.wg0 = true;
    CHECK(late.up() == "wg0 wg1 ");
}

TEST_CASE("links that are no longer in the site are forgotten") {
    Scene scene;
    scene.up();
    scene.wg0 = false;
    scene.up();
    scene.wg0 = true;
    scene.up();
    scene.site.peers.front().links = {DevLink{.dev = "wg1"}};
    CHECK(scene.up() == "wg0 wg1 ");
    CHECK(scene.hold.due() == LinkHold::Time::max());
}
