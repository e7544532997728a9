// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/apply.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/diff.h"
#include "nftctl/plan/identity.h"
#include "tests/support/fake_kernel.h"
#include "tests/unit/random_site.h"

using namespace natctl;
using natctl::test::FakeKernel;
using natctl::test::random_edit;
using natctl::test::random_entries;
using natctl::test::random_site;

namespace {

Map map(const std::string& virt, const std::string& real) {
    return {*Prefix::parse(virt), *Prefix::parse(real), {}, {}};
}

Peer peer(const std::string& name, const std::string& virt, Link link) {
    return {.name = name, .virtual_prefixes = {*Prefix::parse(virt)}, .links = {std::move(link)}};
}

Site site_a() {
    Site site;
    site.name = "a";
    site.lan = {"lan0"};
    site.maps = {map("240.1.1.0/24", "192.168.1.0/24")};
    site.peers = {peer("b", "240.2.2.0/24", DevLink{.dev = "ov0", .via4 = Address::parse("172.31.0.2")})};
    return site;
}

Facts router() {
    Facts facts;
    facts.forwarding4 = true;
    facts.interfaces = {{"lan0", 2, true, {{*Address::parse("192.168.1.1"), 24}}},
                        {"ov0", 3, true, {{*Address::parse("172.31.0.1"), 24}}},
                        {"wg0", 4, true, {}}};
    return facts;
}

FakeKernel kernel_of(const Facts& facts) {
    FakeKernel kernel;
    kernel.facts = facts;
    return kernel;
}

} // namespace

TEST_CASE("applying makes the kernel hold the plan, once more changes nothing, down removes it") {
    auto kernel = kernel_of(router());
    CHECK(!apply(kernel, site_a()).empty());
    CHECK(kernel.plan() == compile(site_a(), router()));
    CHECK(apply(kernel, site_a()).empty());
    CHECK(kernel.commits == 1);
    take_down(kernel);
    CHECK(kernel.plan() == Plan{});
}

TEST_CASE("what nobody changed since is not read again") {
    auto kernel = kernel_of(router());
    apply(kernel, site_a());
    const auto reads = kernel.reads;
    CHECK(apply(kernel, site_a()).empty());
    CHECK(pending(kernel, site_a()).empty());
    CHECK(kernel.reads == reads);
    kernel.change_foreign_table();
    CHECK(apply(kernel, site_a()).empty());
    CHECK(kernel.reads == reads + 1);
    CHECK(apply(kernel, site_a()).empty());
    CHECK(kernel.reads == reads + 1);
}

TEST_CASE("what somebody changed is noticed, in the table and beside it") {
    const auto wanted = compile(site_a(), router());
    auto kernel = kernel_of(router());
    apply(kernel, site_a());
    auto changed = wanted;
    changed.table->chains.edit().pop_back();
    kernel.set_plan(changed);
    CHECK(!pending(kernel, site_a()).empty());
    CHECK(!apply(kernel, site_a()).empty());
    CHECK(kernel.plan() == wanted);
    for (const bool routes : {true, false}) {
        changed = wanted;
        if (routes)
            changed.routes.pop_back();
        else
            changed.rules.pop_back();
        kernel.set_plan(changed);
        CHECK(!apply(kernel, site_a()).empty());
        CHECK(kernel.plan() == wanted);
    }
}

TEST_CASE("the identity differs with every part of a table") {
    const auto table = *compile(site_a(), router()).table;
    IdentityMaker maker;
    const auto identity = [&](nft::Table changed, const auto& change) {
        changed.sets.pop_back();
        change(changed);
        const auto found = identity_set(changed);
        // One that has seen other tables before says the same.
        CHECK(maker.make(changed) == found);
        return found.elements.front();
    };
    const auto same = [](nft::Table&) {};
    CHECK(identity(table, same) == table.sets.back().elements.front());
    std::set<nft::Element> all{identity(table, same)};
    std::size_t count = 1;
    const auto differs = [&](const auto& change) {
        all.insert(identity(table, change));
        ++count;
    };
    for (std::size_t i = 0; i + 1 < table.sets.size(); ++i) {
        differs([&](nft::Table& t) { t.sets[i].spec.name += "x"; });
        differs([&](nft::Table& t) { t.sets[i].spec.interval = !t.sets[i].spec.interval; });
        if (!table.sets[i].elements.empty()) differs([&](nft::Table& t) { t.sets[i].elements.edit().pop_back(); });
    }
    for (std::size_t i = 0; i < table.chains.size(); ++i) {
        differs([&](nft::Table& t) { t.chains.edit()[i].name += "x"; });
        differs([&](nft::Table& t) { t.chains.edit()[i].rules.emplace_back(); });
    }
    differs([](nft::Table& t) { t.ownable = true; });
    differs([](nft::Table& t) { t.helpers.push_back({"ftp", "ftp"}); });
    CHECK(all.size() == count);
}

TEST_CASE("a table is made anew to be owned, once, and to be nobody's again") {
    auto kernel = kernel_of(router());
    auto site = site_a();
    apply(kernel, site);
    CHECK(!kernel.plan().table->ownable);
    site.agent.own_table = true;
    CHECK(apply(kernel, site).makes_table_anew());
    CHECK(kernel.plan().table->ownable);
    CHECK(apply(kernel, site).empty());
    site.lan.emplace_back("lan1");
    CHECK(!apply(kernel, site).makes_table_anew());
    site.agent.own_table = false;
    CHECK(apply(kernel, site).makes_table_anew());
    CHECK(!kernel.plan().table->ownable);
}

TEST_CASE("for random sites and edits, the difference leads to the same as a fresh start") {
    std::mt19937 random(20261121);
    auto kernel = kernel_of(router());
    Site site = random_site(random);
    for (int round = 0; round < 150; ++round) {
        site = random() % 4 == 0 ? random_site(random) : random_edit(site, random);
        kernel.facts.white_now = random_entries(random);
        const bool expires = random() % 4 == 0;
        if (expires) kernel.let_expire();
        apply(kernel, site, warn_on_stderr, random() % 2 ? OtherLifetime::replaced : OtherLifetime::kept);
        // What ended beside the changes is seen by the next one.
        if (expires) apply(kernel, site);
        REQUIRE(diff(kernel.plan(), compile(site, kernel.facts)).empty());
    }
}

TEST_CASE("what is added to one map touches nothing else") {
    auto kernel = kernel_of(router());
    apply(kernel, site_a());
    auto site = site_a();
    site.peers.push_back(peer("c", "240.3.3.0/24", DevLink{.dev = "ov0", .via4 = Address::parse("172.31.0.3")}));
    unsigned removed = 0;
    for (const auto& change : pending(kernel, site).changes) {
        if (const auto* gone = std::get_if<nft::DeleteElements>(&change)) {
            CHECK(gone->set.name == identity_name);
            ++removed;
            continue;
        }
        CHECK(std::holds_alternative<nft::AddElements>(change));
    }
    CHECK(removed == 1);
}

TEST_CASE("a refusal at any step leaves the former state") {
    using Step = FakeKernel::Step;
    auto kernel = kernel_of(router());
    apply(kernel, site_a());
    const auto former = kernel.plan();
    auto site = site_a();
    site.peers = {peer("b", "240.4.4.0/24", DevLink{.dev = "wg0"})};
    for (const auto step : {Step::remove_routes_first, Step::changes, Step::add_routes, Step::add_rules,
                            Step::remove_rules, Step::remove_routes_last}) {
        kernel.fail_at(step, 0, EPERM);
        CHECK_THROWS_AS(apply(kernel, site), SystemError);
        CHECK(diff(kernel.plan(), former).empty());
    }
    apply(kernel, site);
    CHECK(diff(kernel.plan(), compile(site, router())).empty());
}

TEST_CASE("every error at every step leaves the former state or the new one") {
    using Step = FakeKernel::Step;
    auto site = site_a();
    site.peers = {peer("b", "240.4.4.0/24", DevLink{.dev = "wg0"})};
    for (const int error : {ENOBUFS, EINTR, ERESTART, EAGAIN, EPERM, ENOSPC, ENOMEM, EOPNOTSUPP, ENOENT})
        for (const auto step : {Step::remove_routes_first, Step::changes, Step::add_routes, Step::add_rules,
                                Step::remove_rules, Step::remove_routes_last})
            for (const std::size_t index : {0u, 1u}) {
                CAPTURE(error);
                CAPTURE(static_cast<int>(step));
                CAPTURE(index);
                auto kernel = kernel_of(router());
                apply(kernel, site_a());
                const auto former = kernel.plan();
                kernel.fail_at(step, index, error);
                bool refused = false;
                try {
                    const auto change = apply(kernel, site);
                    CHECK(!change.empty());
                } catch (const SystemError& thrown) {
                    refused = true;
                    CHECK(thrown.error() == error);
                }
                // These two say nothing about the change: it is looked at and done. Every step has a first item.
                const bool unanswered = error == ENOBUFS || error == EINTR;
                if (index == 0 || unanswered) CHECK(refused == !unanswered);
                CHECK(diff(kernel.plan(), refused ? former : compile(site, router())).empty());
            }
}

TEST_CASE("a lost answer is no refusal, and the change is told as a whole") {
    auto kernel = kernel_of(router());
    auto other = kernel_of(router());
    kernel.lose_answers(1);
    const auto change = apply(kernel, site_a());
    CHECK(kernel.plan() == compile(site_a(), router()));
    const auto whole = apply(other, site_a());
    CHECK(change.changes.size() == whole.changes.size());
    CHECK(change.add_routes == whole.add_routes);
    CHECK(change.add_rules == whole.add_rules);

    kernel.lose_answers(1);
    take_down(kernel);
    CHECK(kernel.plan() == Plan{});
}

TEST_CASE("a kernel that never answers is a refusal, and the former state is put back") {
    auto kernel = kernel_of(router());
    kernel.lose_answers(6);
    CHECK_THROWS_AS(apply(kernel, site_a()), SystemError);
    CHECK(kernel.plan() == Plan{});
}

TEST_CASE("another writer in between makes us read again") {
    auto kernel = kernel_of(router());
    kernel.interfere();
    apply(kernel, site_a());
    CHECK(kernel.plan() == compile(site_a(), router()));
}

TEST_CASE("links are taken in order of preference, as far as they are there") {
    auto site = site_a();
    site.peers[0].links = {DevLink{.dev = "wg0"}, SocksLink{.server = *Endpoint::parse("127.0.0.1:1080")}};
    auto facts = router();
    CHECK(usable_link(site.peers[0], facts) == &site.peers[0].links[0]);
    facts.interfaces[2].up = false;
    CHECK(usable_link(site.peers[0], facts) == &site.peers[0].links[1]);
    CHECK(compile(site, facts).table->find_set("tun4")->elements.size() == 1);
    site.peers[0].links.pop_back();
    CHECK(usable_link(site.peers[0], facts) == nullptr);
}

TEST_CASE("advice names what this machine lacks and the command that mends it") {
    auto facts = router();
    CHECK(advice(site_a(), facts).empty());
    facts.forwarding4 = false;
    facts.interfaces.erase(facts.interfaces.begin() + 1);
    const auto lines = advice(site_a(), facts);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].find("ov0 does not exist") != std::string::npos);
    CHECK(lines[2].find("sysctl -w net.ipv4.ip_forward=1") != std::string::npos);
}

TEST_CASE("advice names gateways that are in no network of their link; their routes are made all the same") {
    auto site = site_a();
    for (const auto* near : {"172.31.0.2", "fe80::2"}) {
        const auto via = *Address::parse(near);
        site.peers[0].links = {via.family() == Family::ipv4 ? DevLink{.dev = "ov0", .via4 = via}
                                                            : DevLink{.dev = "ov0", .via6 = via}};
        CHECK(advice(site, router()).empty());
    }
    site.peers[0].links = {DevLink{.dev = "ov0", .via4 = Address::parse("10.9.9.9")}};
    const auto lines = advice(site, router());
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].find("gateway 10.9.9.9 of peer b is in no network of ov0") != std::string::npos);
    const auto plan = compile(site, router());
    CHECK(std::ranges::any_of(plan.routes, [](const Route& route) { return route.via == Address::parse("10.9.9.9"); }));
}

namespace {

RunTimeEntry spared(const std::string& prefix, std::optional<std::chrono::milliseconds> lifetime = {}) {
    return {*Prefix::parse(prefix), lifetime, {}};
}

std::vector<const nft::AddElements*> additions(const Transaction& change) {
    std::vector<const nft::AddElements*> found;
    for (const auto& item : change.changes)
        if (const auto* added = std::get_if<nft::AddElements>(&item)) found.push_back(added);
    return found;
}

} // namespace

TEST_CASE("what is added to the white list at run time changes elements and nothing else") {
    using std::chrono::milliseconds;
    auto kernel = kernel_of(router());
    apply(kernel, site_a());
    kernel.facts.white_now = {spared("203.0.113.0/24", milliseconds(30000)), spared("2001:db8::/32")};
    const auto change = apply(kernel, site_a());
    REQUIRE(change.changes.size() == 2);
    const auto added = additions(change);
    REQUIRE(added.size() == 2);
    CHECK(added[0]->set.name == "white_now4");
    CHECK(added[0]->lifetimes == nft::Lifetimes{{*Address::parse("203.0.113.0"), milliseconds(30000)}});
    CHECK(added[1]->set.name == "white_now6");
    CHECK(added[1]->lifetimes.empty());
    CHECK(kernel.plan().table->find_set("white_now4")->lifetimes.size() == 1);
}

TEST_CASE("a lifetime that passes is no difference; another one is where it is asked for") {
    using std::chrono::milliseconds;
    auto kernel = kernel_of(router());
    kernel.facts.white_now = {spared("203.0.113.0/24", milliseconds(30000)), spared("198.51.100.7")};
    apply(kernel, site_a());
    kernel.facts.white_now[0].lifetime = milliseconds(29800);
    CHECK(apply(kernel, site_a(), warn_on_stderr, OtherLifetime::replaced).empty());

    for (const auto lifetime :
         {std::optional(milliseconds(60000)), std::optional<milliseconds>(), std::optional(milliseconds(5))}) {
        kernel.facts.white_now[0].lifetime = lifetime;
        CHECK(apply(kernel, site_a()).empty());
        const auto change = apply(kernel, site_a(), warn_on_stderr, OtherLifetime::replaced);
        REQUIRE(change.changes.size() == 2);
        const auto* gone = std::get_if<nft::DeleteElements>(&change.changes[0]);
        REQUIRE(gone != nullptr);
        CHECK(gone->elements.size() == 1);
        CHECK(additions(change).size() == 1);
        const auto& lifetimes = kernel.plan().table->find_set("white_now4")->lifetimes;
        CHECK(lifetimes.size() == (lifetime ? 1 : 0));
        if (lifetime) CHECK(lifetimes.begin()->second == *lifetime);
    }
}

TEST_CASE("an element that ends by itself before it is deleted makes us read again") {
    using std::chrono::milliseconds;
    auto kernel = kernel_of(router());
    kernel.facts.white_now = {spared("203.0.113.0/24", milliseconds(30000)), spared("198.51.100.7")};
    apply(kernel, site_a());
    kernel.facts.white_now = {spared("8.8.8.8")};
    kernel.let_expire();
    const auto change = apply(kernel, site_a());
    CHECK(diff(kernel.plan(), compile(site_a(), kernel.facts)).empty());
    CHECK(change.changes.size() == 2);
}

TEST_CASE("where it is not the lifetime that ended, that is a refusal after a few attempts") {
    struct Refusing : FakeKernel {
        CommitResult commit(const Transaction& transaction, std::uint32_t generation) override {
            if (!refuses) return FakeKernel::commit(transaction, generation);
            ++attempts;
            throw SystemError("delete", "elements", ENOENT);
        }
        bool refuses = false;
        int attempts = 0;
    };
    Refusing kernel;
    kernel.facts = router();
    kernel.facts.white_now = {spared("203.0.113.0/24", std::chrono::milliseconds(30000))};
    apply(kernel, site_a());
    const auto former = kernel.plan();
    kernel.refuses = true;
    kernel.facts.white_now = {};
    CHECK_THROWS_AS(apply(kernel, site_a()), SystemError);
    CHECK(kernel.attempts == 6);
    CHECK(diff(kernel.plan(), former).empty());

    // Nothing that could have ended is to be deleted: refused at once.
    kernel.attempts = 0;
    kernel.facts.white_now = {spared("203.0.113.0/24"), spared("8.8.8.8")};
    CHECK_THROWS_AS(apply(kernel, site_a()), SystemError);
    CHECK(kernel.attempts == 1);
}
