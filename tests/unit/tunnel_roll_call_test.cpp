// SPDX-License-Identifier: GPL-3.0-or-later
#include <thread>

#include <doctest/doctest.h>

#include "tunnel/roll_call.h"

using namespace natctl;

TEST_CASE("a roll call is complete when all have answered that one") {
    RollCall calls(2);
    CHECK(calls.complete());
    const auto first = calls.begin();
    CHECK_FALSE(calls.complete());
    std::thread(first).join();
    CHECK_FALSE(calls.complete());
    std::thread(first).join();
    CHECK(calls.complete());
    const auto second = calls.begin();
    first();
    first();
    CHECK_FALSE(calls.complete());
    second();
    second();
    CHECK(calls.complete());
}
