// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/run_time_list.h"

#include <cerrno>
#include <filesystem>

#include <doctest/doctest.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/state_file.h"
#include "tests/support/temporary_directory.h"

using namespace natctl;
using std::chrono::nanoseconds;

namespace {

constexpr const char* path = "/run/natctl/white_list";

RunTimeRecord record(const char* prefix, std::optional<nanoseconds> deadline = {}, const char* name = "") {
    return {*Prefix::parse(prefix), deadline, name};
}

RunTimeList sample() {
    return {.boot = "here",
            .records = {record("203.0.113.0/24"),
                        record("198.51.100.7", nanoseconds(5'000'000'001), "proxy.example.net"),
                        record("2001:db8::/32", nanoseconds(0))}};
}

} // namespace

TEST_CASE("the text of the run-time list, and back") {
    CHECK(text_of(sample()) ==
          "boot here\n203.0.113.0/24 -\n198.51.100.7/32 5000000001 proxy.example.net\n2001:db8::/32 0\n");
    CHECK(run_time_list_of(text_of(sample()), path) == sample());
    CHECK(run_time_list_of("boot here\n", path) == RunTimeList{.boot = "here", .records = {}});
}

TEST_CASE("text that is none is refused with the file, the line and the way out") {
    struct Case {
        const char* text;
        const char* place;
    };
    for (const Case& one :
         {Case{"", ":1"}, Case{"\n", ":1"}, Case{"boot\n", ":1"}, Case{"boot a b\n", ":1"},
          Case{"203.0.113.0/24 -\n", ":1"}, Case{"boot a\n\n", ":2"}, Case{"boot a\n203.0.113.0/24\n", ":2"},
          Case{"boot a\n203.0.113.0/33 -\n", ":2"}, Case{"boot a\n1.1.1.1 -\n203.0.113.0/24 soon\n", ":3"},
          Case{"boot a\n203.0.113.0/24 -5\n", ":2"}, Case{"boot a\n203.0.113.0/24 12x\n", ":2"},
          Case{"boot a\n203.0.113.0/24 99999999999999999999\n", ":2"}, Case{"boot a\n203.0.113.0/24 - a b\n", ":2"},
          Case{"boot a\n203.0.113.0/24 - \xff\n", ":2"}}) {
        CAPTURE(one.text);
        try {
            run_time_list_of(one.text, path);
            FAIL("it was taken");
        } catch (const SystemError& error) {
            const std::string what = error.what();
            CHECK(error.error() == EINVAL);
            CHECK_MESSAGE(what.find(std::string(path) + one.place + ":") != std::string::npos, what);
            CHECK_MESSAGE(what.find(std::string("rm ") + path) != std::string::npos, what);
        }
    }
}

TEST_CASE("an entry ends at its deadline, and all with the boot") {
    const auto list = sample();
    CHECK(records_at(list, nanoseconds(0), "here").size() == 2);
    CHECK(records_at(list, nanoseconds(5'000'000'000), "here").size() == 2);
    CHECK(records_at(list, nanoseconds(5'000'000'001), "here") == std::vector{record("203.0.113.0/24")});
    CHECK(records_at(list, nanoseconds(0), "elsewhere").empty());

    const auto entries = entries_of(list.records, nanoseconds(4'999'000'000));
    REQUIRE(entries.size() == 2);
    CHECK(!entries[0].lifetime);
    // Never 0, which would be for ever.
    CHECK(entries[1].lifetime == std::chrono::milliseconds(2));
    CHECK(entries[1].name == "proxy.example.net");
    CHECK(entries_of(list.records, nanoseconds(5'000'000'001)).size() == 1);
}

TEST_CASE("the file: what was written is read, an empty list leaves none, another boot's counts as none") {
    const test::TemporaryDirectory directory;
    CHECK(read_run_time_list(directory.path()).empty());
    const std::vector records{record("203.0.113.0/24"), record("198.51.100.7", nanoseconds::max(), "a.example")};
    write_run_time_list(directory.path(), records);
    CHECK(read_run_time_list(directory.path()) == records);
    CHECK(read_run_time_entries(directory.path()).size() == 2);
    PreparedFile(directory.path() + "/white_list", text_of({"another", records})).publish();
    CHECK(read_run_time_list(directory.path()).empty());
    write_run_time_list(directory.path(), {});
    CHECK(std::filesystem::is_empty(directory.path()));
    write_run_time_list(directory.path(), {});
}
