// SPDX-License-Identifier: GPL-3.0-or-later
#include <cerrno>

#include <doctest/doctest.h>

#include "nftctl/base/error.h"
#include "tests/support/fake_kernel.h"
#include "tests/unit/kernel_sample.h"

using namespace natctl;
using namespace natctl::test;

namespace {

int error_of(Kernel& kernel, const Transaction& transaction) {
    try {
        kernel.commit(transaction, kernel.read().generation);
    } catch (const SystemError& error) {
        return error.error();
    }
    return 0;
}

Route route(std::uint32_t table, const char* destination) {
    return {.table = table, .destination = Prefix::parse(destination).value(), .dev = "lo"};
}

} // namespace

TEST_CASE("the fake holds what was written, and counts generations as the kernel does") {
    FakeKernel kernel;
    CHECK(kernel.read().plan == Plan{});
    const std::uint32_t start = kernel.read().generation;
    CHECK(error_of(kernel, {.changes = changes_to_add(sample_table())}) == 0);
    CHECK(kernel.plan().table == sample_table());
    CHECK(kernel.read().generation == start + 1);
    CHECK(error_of(kernel, {.add_routes = {route(7000, "240.2.2.0/24")}}) == 0);
    CHECK(kernel.read().generation == start + 1);
    CHECK(kernel.commit({.changes = {nft::DeleteTable{}}}, start) == CommitResult::stale);
    CHECK(kernel.plan().table == sample_table());
    CHECK(kernel.commit({.changes = {nft::DeleteTable{}}}, 0) == CommitResult::done);
    CHECK(!kernel.plan().table);
}

TEST_CASE("the fake undoes a refused batch and keeps what came before it") {
    FakeKernel kernel;
    CHECK(error_of(kernel, {.changes = changes_to_add(sample_table()), .add_routes = {route(7000, "240.2.2.0/24")}}) ==
          0);
    const std::uint32_t generation = kernel.read().generation;
    kernel.fail_at(FakeKernel::Step::changes, 1, ENOMEM);
    const Transaction transaction{.remove_routes_first = {route(7000, "240.2.2.0/24")},
                                  .changes = {nft::DeleteTable{}, nft::AddTable{}}};
    CHECK(error_of(kernel, transaction) == ENOMEM);
    CHECK(kernel.plan().table == sample_table());
    CHECK(kernel.plan().routes.empty());
    CHECK(kernel.read().generation == generation);
    // Once only.
    CHECK(error_of(kernel, transaction) == 0);
    CHECK(kernel.plan().table == nft::Table{});
}

TEST_CASE("the fake puts the first routes back when the batch turns out stale") {
    FakeKernel kernel;
    const std::vector routes{route(7000, "240.2.2.0/24"), route(7001, "240.2.2.0/24")};
    kernel.set_plan({.routes = routes});
    kernel.interfere();
    CHECK(kernel.commit({.remove_routes_first = {routes[0]}, .changes = {nft::AddTable{}}}, kernel.read().generation) ==
          CommitResult::stale);
    CHECK(kernel.plan().routes == routes);
    CHECK(!kernel.plan().table);
}

TEST_CASE("the fake fails at any route or rule") {
    using Step = FakeKernel::Step;
    const PolicyRule rule{.family = Family::ipv4, .priority = 6003, .table = 7000};
    const Route first = route(7000, "240.2.2.0/24");
    const Route second = route(7000, "240.3.3.0/24");
    FakeKernel kernel;
    kernel.fail_at(Step::add_routes, 1, ENOMEM);
    CHECK(error_of(kernel, {.add_routes = {first, second}, .add_rules = {rule}}) == ENOMEM);
    CHECK(kernel.plan() == Plan{.routes = {first}});
    kernel.fail_at(Step::add_rules, 0, ENOMEM);
    CHECK(error_of(kernel, {.add_routes = {first, second}, .add_rules = {rule}}) == ENOMEM);
    CHECK(error_of(kernel, {.add_routes = {first, second}, .add_rules = {rule}}) == 0);
    CHECK(kernel.plan() == Plan{.rules = {rule}, .routes = {first, second}});
    kernel.fail_at(Step::remove_routes_first, 0, EPERM);
    CHECK(error_of(kernel, {.remove_routes_first = {first}}) == EPERM);
    kernel.fail_at(Step::remove_rules, 0, EPERM);
    CHECK(error_of(kernel, {.remove_rules = {rule}}) == EPERM);
    kernel.fail_at(Step::remove_routes_last, 0, EPERM);
    CHECK(error_of(kernel, {.remove_rules = {rule}, .remove_routes_last = {first}}) == EPERM);
    CHECK(kernel.plan() == Plan{.routes = {first, second}});
    CHECK(error_of(kernel, {.remove_routes_first = {first, second}, .remove_routes_last = {first}}) == 0);
    CHECK(kernel.plan() == Plan{});
    CHECK(kernel.commits == 2);
}

TEST_CASE("the fake refuses routes by interfaces that are not there or down, and where others have theirs") {
    FakeKernel kernel;
    Route by_link = route(7000, "240.2.2.0/24");
    by_link.dev = "ov0";
    CHECK(error_of(kernel, {.add_routes = {by_link}}) == ENODEV);
    kernel.facts.interfaces.push_back({.name = "ov0", .index = 2, .up = false, .addresses = {}});
    CHECK(error_of(kernel, {.add_routes = {by_link}}) == ENETDOWN);
    kernel.facts.interfaces.front().up = true;
    CHECK(error_of(kernel, {.add_routes = {by_link}}) == 0);
    // Ours is replaced.
    CHECK(error_of(kernel, {.add_routes = {route(7000, "240.2.2.0/24")}}) == 0);
    CHECK(kernel.plan().routes == std::vector{route(7000, "240.2.2.0/24")});
    kernel.foreign_routes.push_back(route(7000, "240.3.3.0/24"));
    by_link.destination = Prefix::parse("240.3.3.0/24").value();
    CHECK(error_of(kernel, {.add_routes = {by_link}}) == EEXIST);
}
