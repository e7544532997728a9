// SPDX-License-Identifier: GPL-3.0-or-later
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "nftctl/base/run_files.h"
#include "nftctl/kernel/link_file.h"
#include "tests/support/temporary_directory.h"

using namespace natctl;
using natctl::test::TemporaryDirectory;
using Time = std::chrono::steady_clock::time_point;

namespace {

const FailedLinks links{
    {{"b", 0}, {.since = Time(std::chrono::milliseconds(123'456)), .unroutable = {}, .text = "dev ov0 via 172.31.0.2"}},
    {{"b", 2}, {.since = Time(std::chrono::milliseconds(5)), .unroutable = {Family::ipv6}, .text = "dev wg0"}},
    {{"c", 1}, {.since = Time(), .out_of_use = false, .unroutable = {Family::ipv4, Family::ipv6}, .text = "x"}},
};

} // namespace

TEST_CASE("failed links are read as they were written, and none leave no file") {
    const TemporaryDirectory directory;
    CHECK(read_failed_links(directory.path()).empty());
    write_failed_links(directory.path(), links);
    CHECK(read_failed_links(directory.path()) == links);
    write_failed_links(directory.path(), {});
    CHECK(std::filesystem::is_empty(directory.path()));
}

TEST_CASE("failed links of another boot, or of another release, are none") {
    const TemporaryDirectory directory;
    const auto path = directory.path() + "/" + run_files::links_out_of_use;
    write_failed_links(directory.path(), links);
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    std::ofstream(path) << "0" << text.str().substr(1);
    const bool same = text.str().front() == '0';
    CHECK(read_failed_links(directory.path()) == (same ? links : FailedLinks{}));
    std::ofstream(path) << "b 0\nc 1\n";
    CHECK(read_failed_links(directory.path()).empty());
}

TEST_CASE("failed links are facts") {
    Facts facts;
    believe(links, facts);
    CHECK(facts.out_of_use == std::set<PeerLink>{{"b", 0}, {"b", 2}});
    CHECK(facts.unroutable == std::set<std::pair<PeerLink, Family>>{
                                  {{"b", 2}, Family::ipv6}, {{"c", 1}, Family::ipv4}, {{"c", 1}, Family::ipv6}});
}
