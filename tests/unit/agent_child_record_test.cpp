// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>
#include <unistd.h>

#include "agent/child_record.h"

using namespace natctl;

TEST_CASE("a record of a child can be read again, and nothing else can") {
    const ChildRecord record{
        .pid = 4711,
        .start = 123456789,
        .command = {.words = {"/usr/bin/xray", "-c", "/run/natctl/\"odd\" \n name"}, .revision = "a0"}};
    CHECK(child_record_of(text_of(record)) == record);
    for (const char* text : {"", "{}", "[]", "nonsense", R"({"pid":"4711","start":1,"command":[],"revision":""})",
                             R"({"pid":4711,"start":1,"command":"x","revision":""})"})
        CHECK_FALSE(child_record_of(text).has_value());
}

TEST_CASE("a process is known by its number and the time of its start") {
    const auto start = start_of_process(::getpid());
    REQUIRE(start.has_value());
    CHECK(open_process({.pid = ::getpid(), .start = *start, .command = {}}));
    CHECK_FALSE(open_process({.pid = ::getpid(), .start = *start + 1, .command = {}}));
    CHECK_FALSE(open_process({.pid = 0, .start = *start, .command = {}}));
    CHECK_FALSE(start_of_process(-1).has_value());
}
