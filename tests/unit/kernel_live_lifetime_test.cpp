// SPDX-License-Identifier: GPL-3.0-or-later
#include <cerrno>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/linux_kernel.h"
#include "tests/unit/kernel_live.h"
#include "tests/unit/kernel_sample.h"

using namespace natctl;
using namespace natctl::nft;
using namespace natctl::test;
using std::chrono::milliseconds;

namespace {

const SetSpec spec{.name = "white_now4", .key = {Datatype::ipv4_addr}, .interval = true, .timeout = true};

CommitResult commit(Kernel& kernel, std::vector<Change> changes) {
    return kernel.commit({.changes = std::move(changes)}, kernel.read().generation);
}

int error_of(Kernel& kernel, std::vector<Change> changes) {
    try {
        commit(kernel, std::move(changes));
    } catch (const SystemError& error) {
        return error.error();
    }
    return 0;
}

Set read_set(Kernel& kernel) { return kernel.read().plan.table->sets.front(); }

bool comes_true(auto condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(milliseconds(5));
    }
    return true;
}

} // namespace

TEST_CASE("lifetimes are read back as what is left of them") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    const std::vector elements{range("10.0.0.0", "10.0.0.255"), range("10.0.1.0", "10.0.1.255"),
                               range("255.0.0.0", "255.255.255.255")};
    const Lifetimes lifetimes{{Bytes(elements[0].first()), std::chrono::hours(1)},
                              {Bytes(elements[2].first()), milliseconds(90500)}};
    commit(*kernel, {AddTable{}, AddSet{spec}, AddElements{spec, elements, lifetimes}});
    const auto set = read_set(*kernel);
    CHECK(set.spec == spec);
    CHECK(set.elements == elements);
    REQUIRE(set.lifetimes.size() == 2);
    for (const auto& [key, lifetime] : lifetimes) {
        CHECK(set.lifetimes.at(key) <= lifetime + milliseconds(10));
        CHECK(set.lifetimes.at(key) > lifetime - std::chrono::seconds(30));
    }
    const auto listing = run("nft list table inet natctl");
    CHECK(listing.find("10.0.0.0/24 timeout 1h expires ") != std::string::npos);
    CHECK(listing.find("255.0.0.0/8 timeout 1m30s500ms expires ") != std::string::npos);
}

TEST_CASE("an element ends by itself: what overlaps it can be added then, and it cannot be deleted") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    const auto brief = range("10.0.0.0", "10.0.0.255");
    const auto neighbour = range("10.0.1.0", "10.0.1.255");
    commit(*kernel, {AddTable{}, AddSet{spec},
                     AddElements{spec, {brief, neighbour}, {{Bytes(brief.first()), milliseconds(30)}}}});
    CHECK(comes_true([&] { return read_set(*kernel).elements == std::vector{neighbour}; }));
    CHECK(read_set(*kernel).lifetimes.empty());
    CHECK(error_of(*kernel, {DeleteElements{spec, {brief}}}) == ENOENT);
    const auto wider = range("9.255.255.0", "10.0.0.127");
    CHECK(error_of(*kernel, {AddElements{spec, {wider}}}) == 0);
    CHECK(read_set(*kernel).elements == std::vector{wider, neighbour});
}

TEST_CASE("a lifetime is replaced in one batch") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    const auto element = range("10.0.0.0", "10.0.0.255");
    commit(*kernel,
           {AddTable{}, AddSet{spec}, AddElements{spec, {element}, {{Bytes(element.first()), std::chrono::hours(1)}}}});
    commit(*kernel, {DeleteElements{spec, {element}},
                     AddElements{spec, {element}, {{Bytes(element.first()), std::chrono::hours(9)}}}});
    CHECK(read_set(*kernel).lifetimes.at(Bytes(element.first())) > std::chrono::hours(8));
    commit(*kernel, {DeleteElements{spec, {element}}, AddElements{spec, {element}}});
    CHECK(read_set(*kernel).elements == std::vector{element});
    CHECK(read_set(*kernel).lifetimes.empty());
}
