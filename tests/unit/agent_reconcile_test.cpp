// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "agent/reconcile.h"

using namespace natctl;
using namespace std::chrono_literals;

namespace {

using What = Reconciler::What;
using Result = Reconciler::Result;
using Fight = Reconciler::Fight;

/// A reconciler and the time, which passes when the test says so.
struct Scene {
    Reconciler::Time now{1000s};
    Reconciler reconciler{{}, now};

    void note(Cause cause) { reconciler.note(cause, now); }
    void pass(Reconciler::Duration time) { now += time; }
    Reconciler::Step step() { return reconciler.step(now); }

    /// Does what is to be done, as soon as may be.
    Fight act(Result result, Reconciler::Duration taking = 1ms) {
        auto step = reconciler.step(now);
        if (step.what == What::wait) {
            now = step.until;
            step = reconciler.step(now);
        }
        REQUIRE(step.what != What::wait);
        const auto began = now;
        now += taking;
        return reconciler.done(step.causes, result, began, now);
    }
    /// Somebody takes something away, and it is put back. How long that took.
    Reconciler::Duration repair(Fight expected) {
        const auto began = now;
        note(Cause::table);
        CHECK(act(Result::repaired) == expected);
        return now - began;
    }
};

} // namespace

TEST_CASE("without events it looks when the full check is due and not before") {
    Scene scene;
    auto step = scene.step();
    CHECK(step.what == What::wait);
    CHECK(step.until == scene.now + 60s);
    scene.pass(59s);
    CHECK(scene.step().what == What::wait);
    scene.pass(1s);
    step = scene.step();
    CHECK(step.what == What::look);
    CHECK(step.causes.has(Cause::full_check));
}

TEST_CASE("the first event is acted upon at once, and those of a burst together") {
    Scene scene;
    scene.note(Cause::address);
    CHECK(scene.act(Result::changed, 2ms) == Fight::none);
    scene.note(Cause::link);
    scene.note(Cause::address);
    scene.note(Cause::route);
    const auto step = scene.step();
    CHECK(step.what == What::wait);
    CHECK(step.until == scene.now + 10ms);
    scene.pass(10ms);
    const auto next = scene.step();
    CHECK(next.what == What::look);
    CHECK(next.causes.has(Cause::link));
    CHECK(next.causes.has(Cause::address));
    CHECK(next.causes.has(Cause::route));
}

TEST_CASE("looks that take long are rare") {
    Scene scene;
    scene.note(Cause::address);
    scene.act(Result::changed, 300ms);
    scene.note(Cause::address);
    CHECK(scene.step().until == scene.now + 600ms);
    scene.act(Result::changed, 20s);
    scene.note(Cause::address);
    CHECK(scene.step().until == scene.now + 1s);
}

TEST_CASE("a file is read when its writer is through, and meanwhile events are acted upon") {
    Scene scene;
    scene.note(Cause::site_file);
    CHECK(scene.step().until == scene.now + 100ms);
    scene.pass(60ms);
    scene.note(Cause::site_file);
    scene.pass(60ms);
    CHECK(scene.step().what == What::wait);
    scene.note(Cause::address);
    auto step = scene.step();
    CHECK(step.what == What::look);
    CHECK(!step.causes.has(Cause::site_file));
    scene.reconciler.done(step.causes, Result::changed, scene.now, scene.now);
    scene.pass(40ms);
    step = scene.step();
    CHECK(step.what == What::reload);
    CHECK(step.causes.has(Cause::site_file));
}

TEST_CASE("a file that is written without a pause is read after a second") {
    Scene scene;
    const auto began = scene.now;
    while (scene.step().what == What::wait) {
        scene.note(Cause::site_file);
        scene.pass(50ms);
        REQUIRE(scene.now - began < 5s);
    }
    CHECK(scene.now - began == 1s);
}

TEST_CASE("SIGHUP does not wait for anything") {
    Scene scene;
    scene.note(Cause::request);
    CHECK(scene.step().what == What::reload);
}

TEST_CASE("what failed is tried again, less and less often, and at once after an event") {
    Scene scene;
    scene.note(Cause::link);
    scene.act(Result::failed);
    Reconciler::Duration last{};
    for (int i = 0; i < 20; ++i) {
        const auto step = scene.step();
        REQUIRE(step.what == What::wait);
        CHECK(step.until - scene.now >= last);
        last = step.until - scene.now;
        scene.now = step.until;
        scene.act(Result::failed);
    }
    CHECK(last == 30s);
    scene.note(Cause::address);
    CHECK(scene.step().until == scene.now + 10ms);
    scene.act(Result::changed);
    CHECK(scene.step().until == scene.now + 60s);
}

TEST_CASE("a file that the kernel refuses is tried again, and looks go on meanwhile") {
    Scene scene;
    scene.note(Cause::request);
    scene.act(Result::failed);
    const auto retry = scene.step().until;
    CHECK(retry == scene.now + 200ms);
    scene.note(Cause::address);
    scene.pass(10ms);
    const auto step = scene.step();
    CHECK(step.what == What::look);
    scene.reconciler.done(step.causes, Result::changed, scene.now, scene.now);
    CHECK(scene.step().until == retry);
    scene.now = retry;
    CHECK(scene.step().what == What::reload);
    scene.act(Result::failed);
    CHECK(scene.step().until == scene.now + 400ms);
    scene.now += 400ms;
    scene.act(Result::changed);
    CHECK(scene.step().until == scene.now + 60s);
}

TEST_CASE("a file that was refused is not tried again once something else was applied") {
    Scene scene;
    scene.note(Cause::request);
    scene.act(Result::failed);
    scene.note(Cause::applied);
    scene.pass(10ms);
    CHECK(scene.step().what == What::look);
    scene.pass(10min);
    CHECK(scene.step().what == What::look);
}

TEST_CASE("what others take away is put back at once, and a fight is recognised") {
    Scene scene;
    for (int i = 0; i < 4; ++i) {
        CHECK(scene.repair(Fight::none) <= 20ms);
        scene.pass(100ms);
    }
    CHECK(scene.repair(Fight::begins) <= 20ms);
    CHECK(scene.reconciler.fighting());
    scene.pass(100ms);
    // From now on once in ten seconds.
    CHECK(scene.repair(Fight::goes_on) >= 8s);
    CHECK(scene.repair(Fight::goes_on) >= 9s);
    CHECK(!scene.reconciler.fight_is_over(scene.now));

    // A new address does not wait for that.
    scene.note(Cause::table);
    scene.note(Cause::address);
    scene.pass(10ms);
    CHECK(scene.act(Result::changed) == Fight::none);

    scene.pass(51s);
    CHECK(scene.reconciler.fight_is_over(scene.now));
    CHECK(!scene.reconciler.fight_is_over(scene.now));
    CHECK(!scene.reconciler.fighting());
    CHECK(scene.repair(Fight::none) <= 20ms);
}

TEST_CASE("repairs once in a while are no fight") {
    Scene scene;
    for (int i = 0; i < 50; ++i) {
        CHECK(scene.repair(Fight::none) <= 20ms);
        scene.pass(11s);
    }
}

TEST_CASE("changes of the facts are no fight, however many") {
    Scene scene;
    for (int i = 0; i < 200; ++i) {
        scene.note(Cause::address);
        scene.note(Cause::table);
        scene.pass(10ms);
        CHECK(scene.act(Result::repaired) == Fight::none);
        scene.note(Cause::missed_events);
        scene.pass(10ms);
        CHECK(scene.act(Result::changed) == Fight::none);
    }
    CHECK(!scene.reconciler.fighting());
}
