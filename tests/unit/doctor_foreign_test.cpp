// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "tests/unit/doctor_sample.h"

using namespace natctl;
using namespace natctl::doctor;
using namespace natctl::test;

namespace {

Findings with_rule(const std::string& check, const ForeignRule& rule) {
    const Site site = sample_site();
    auto seen = sample_examination(site);
    seen.rules = std::vector<ForeignRule>{rule};
    seen.routes = std::vector<ForeignRoute>{
        {.table = 254, .destination = *Prefix::parse("0.0.0.0/0"), .dev = "wan0", .protocol = 3}};
    return findings_of(check, site, seen);
}

const ForeignRule before{.priority = 5000, .table = 254, .protocol = 3};

Grade grade_before(auto change) {
    ForeignRule rule = before;
    change(rule);
    return with_rule("rules-before", rule).front().grade;
}

} // namespace

TEST_CASE("somebody else's policy rule among ours") {
    const ForeignRule rule{.priority = 6003, .table = 99, .from = Prefix::parse("10.0.0.0/8"), .protocol = 3};
    CHECK(command_of(with_rule("foreign-rules", rule), Grade::warning, "pref 6003") ==
          "ip rule del pref 6003 from 10.0.0.0/8 lookup 99 protocol 3");
    CHECK(with_rule("foreign-rules", {.priority = 5999, .table = 99}).front().grade == Grade::ok);
}

TEST_CASE("a policy rule before ours counts when its table takes the peer's prefix") {
    CHECK(command_of(with_rule("rules-before", before), Grade::error, "0.0.0.0/0 dev wan0") ==
          "ip rule del pref 5000 lookup 254 protocol 3");
    CHECK(grade_before([](ForeignRule& rule) { rule.priority = 32766; }) == Grade::ok);
    CHECK(grade_before([](ForeignRule& rule) { rule.table = 100; }) == Grade::ok);
    CHECK(grade_before([](ForeignRule& rule) { rule.suppress = 0; }) == Grade::ok);
    CHECK(grade_before([](ForeignRule& rule) { rule.to = Prefix::parse("10.0.0.0/8"); }) == Grade::ok);
    CHECK(grade_before([](ForeignRule& rule) { rule.to = Prefix::parse("198.18.0.0/15"); }) == Grade::error);
    CHECK(grade_before([](ForeignRule& rule) { rule.iif = "wan0"; }) == Grade::ok);
    CHECK(grade_before([](ForeignRule& rule) { rule.iif = "lan0"; }) == Grade::error);
    CHECK(grade_before([](ForeignRule& rule) { rule.fwmark = Mark{1, 0xff}; }) == Grade::ok);
    CHECK(grade_before([](ForeignRule& rule) { rule.has_more = true; }) == Grade::warning);
    CHECK(grade_before([](ForeignRule& rule) { rule.family = Family::ipv6; }) == Grade::ok);
}

TEST_CASE("a policy rule that catches our marks") {
    const auto grade = [](Mark mark) {
        return with_rule("rules-by-mark", {.priority = 10000, .table = 100, .fwmark = mark}).front().grade;
    };
    CHECK(grade({0x200, 0xffffffff}) == Grade::warning);
    CHECK(grade({0x200, 0x200}) == Grade::warning);
    // wg-quick's, Tailscale's, Kubernetes'
    CHECK(grade({0xca6c, 0xffffffff}) == Grade::ok);
    CHECK(grade({0x80000, 0xff0000}) == Grade::ok);
    CHECK(grade({0x4000, 0x4000}) == Grade::ok);
    CHECK(grade({0, 0xff0000}) == Grade::ok);
}

TEST_CASE("somebody else's route in our tables") {
    const Site site = sample_site();
    auto seen = sample_examination(site);
    seen.routes = std::vector<ForeignRoute>{
        {.table = 7000, .destination = *Prefix::parse("198.18.9.0/24"), .dev = "wan0", .protocol = 3}};
    CHECK(command_of(findings_of("foreign-routes", site, seen), Grade::warning, "198.18.9.0/24") ==
          "ip route del 198.18.9.0/24 dev wan0 table 7000 proto 3");
    seen.routes->front().table = 254;
    CHECK(findings_of("foreign-routes", site, seen).front().grade == Grade::ok);
}
