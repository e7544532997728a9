// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <chrono>

#include <doctest/doctest.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/nftables.h"
#include "nftctl/plan/verdict_data.h"
#include "tests/support/fake_kernel.h"
#include "tests/unit/kernel_live.h"
#include "tests/unit/kernel_sample.h"

using namespace natctl;
using namespace natctl::nft;
using namespace natctl::test;

namespace {

CommitResult commit(Kernel& kernel, std::vector<Change> changes) {
    return kernel.commit({.changes = std::move(changes)}, kernel.read().generation);
}

/// The message of the SystemError that the commit throws, and its errno.
struct Refusal {
    std::string text;
    int error = 0;
};

Refusal refused(Kernel& kernel, std::vector<Change> changes) {
    try {
        commit(kernel, std::move(changes));
    } catch (const SystemError& error) {
        return {error.what(), error.error()};
    }
    FAIL("the kernel accepted it");
    return {};
}

Table small_table() {
    return {.sets = {{{.name = "hosts", .key = {Datatype::ipv4_addr}, .data = Datatype::ipv4_addr, .size = 4},
                      {mapping("240.1.1.1", "10.0.0.1")}}},
            .chains = {{"pre", Hook{ChainType::filter, HookPoint::prerouting, -150}, {{{Counter{}}}}}}};
}

} // namespace

TEST_CASE("an empty kernel holds nothing of ours") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    CHECK(kernel->read().plan == Plan{});
}

TEST_CASE("what was written is what is read") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    const Table table = sample_table();
    CHECK(commit(*kernel, changes_to_add(table)) == CommitResult::done);
    const Snapshot snapshot = kernel->read();
    REQUIRE(snapshot.plan.table);
    CHECK(snapshot.plan.table->sets == table.sets);
    for (const Chain& chain : table.chains) {
        const Chain* const found = snapshot.plan.table->find_chain(chain.name);
        REQUIRE_MESSAGE(found != nullptr, chain.name);
        REQUIRE(found->rules.size() == chain.rules.size());
        for (std::size_t index = 0; index < chain.rules.size(); ++index)
            CHECK_MESSAGE(found->rules[index] == chain.rules[index], chain.name << " rule " << index);
    }
    CHECK(snapshot.plan.table == table);
}

TEST_CASE("nft lists our table as it lists its own") {
    {
        const FreshNamespace fresh;
        load(sample_script());
        const auto kernel = make_linux_kernel();
        CHECK(kernel->read().plan.table == sample_table());
    }
    std::string expected;
    {
        const FreshNamespace fresh;
        load(sample_script());
        expected = list_table();
    }
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    commit(*kernel, changes_to_add(sample_table()));
    CHECK(list_table() == expected);
}

// Here nft puts a byte order conversion of no bytes behind the first load (nft 1.0.6), which we leave out.
TEST_CASE("a concatenation that begins with a single byte") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    const SetSpec spec{.name = "served4", .key = {Datatype::inet_proto, Datatype::ipv4_addr}, .interval = true};
    const Rule rule{{Lookup{{Field::l4proto, Field::ip_daddr}, "served4"}, Verdict{VerdictKind::accept}}};
    commit(*kernel, {AddTable{}, AddSet{spec}, AddChain{"pre", {}}, AddRule{"pre", rule}});
    CHECK(kernel->read().plan.table->chains.front().rules == std::vector{rule});
    CHECK(list_table().find("meta l4proto . ip daddr @served4 accept") != std::string::npos);
}

TEST_CASE("a batch made from an old state does nothing") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    const std::uint32_t generation = kernel->read().generation;
    run("nft add table inet other");
    const Route route{.table = routing::link_table, .destination = *Prefix::parse("240.2.2.0/24"), .dev = "lo"};
    CHECK(kernel->commit({.add_routes = {route}}, generation) == CommitResult::done);
    CHECK(kernel->commit({.remove_routes_first = {route}, .changes = changes_to_add(small_table())}, generation) ==
          CommitResult::stale);
    const Snapshot snapshot = kernel->read();
    CHECK(!snapshot.plan.table);
    CHECK(snapshot.plan.routes == std::vector{route});
    CHECK(kernel->commit({.remove_routes_first = {route}, .changes = changes_to_add(small_table())},
                         snapshot.generation) == CommitResult::done);
    CHECK(kernel->read().plan.table == small_table());
    CHECK(kernel->read().plan.routes.empty());
}

TEST_CASE("a refused batch leaves the old table, and says which change was refused") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    commit(*kernel, changes_to_add(small_table()));
    const SetSpec hosts = small_table().sets.front().spec;

    const Refusal no_set =
        refused(*kernel, {FlushChain{"pre"}, AddRule{"pre", {{Lookup{{Field::ip_saddr}, "absent"}}}}});
    CHECK(no_set.error == ENOENT);
    CHECK(no_set.text == "cannot add rule to chain pre of table inet natctl: No such file or directory; "
                         "there is no set absent");
    const Refusal no_chain = refused(*kernel, {AddRule{"pre", {{Counter{}, Verdict{VerdictKind::jump, "absent"}}}}});
    CHECK(no_chain.text.find("there is no chain absent") != std::string::npos);
    CHECK(refused(*kernel, {AddRule{"absent", {{Counter{}}}}}).error == ENOENT);
    CHECK(refused(*kernel, {FlushChain{"absent"}}).error == ENOENT);
    CHECK(refused(*kernel, {AddSet{hosts}}).error == EEXIST);
    CHECK(refused(*kernel, {AddChain{"pre", {}}}).error == EEXIST);
    CHECK(refused(*kernel, {AddElements{hosts, {mapping("240.1.1.1", "10.0.0.2")}}}).error == EEXIST);
    CHECK(refused(*kernel, {DeleteElements{hosts, {mapping("240.1.1.9", "10.0.0.2")}}}).error == ENOENT);
    const Refusal full =
        refused(*kernel, {AddElements{hosts,
                                      {mapping("240.1.1.2", "10.0.0.2"), mapping("240.1.1.3", "10.0.0.3"),
                                       mapping("240.1.1.4", "10.0.0.4"), mapping("240.1.1.5", "10.0.0.5")}}});
    CHECK(full.error == ENFILE);
    CHECK(full.text.find("elements to set hosts of table inet natctl") != std::string::npos);
    CHECK(full.text.find("it holds at most 4") != std::string::npos);
    // A SNAT chain refuses what belongs to another hook: the kernel's own answer passes through.
    CHECK(refused(*kernel, {AddChain{"snat", Hook{ChainType::nat, HookPoint::forward, 0}}}).error == EOPNOTSUPP);

    CHECK(kernel->read().plan.table == small_table());
}

TEST_CASE("a batch with more refusals than the receive buffer holds answers") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    commit(*kernel, changes_to_add(small_table()));
    std::vector<Change> changes{FlushChain{"pre"}};
    changes.resize(30000, AddRule{"absent", {{Counter{}}}});
    const Refusal refusal = refused(*kernel, changes);
    CHECK(
        refusal.text.starts_with("cannot add rule to chain absent of table inet natctl: No such file or directory; "));
    CHECK(kernel->read().plan.table == small_table());
    CHECK(commit(*kernel, {DeleteTable{}}) == CommitResult::done);
}

TEST_CASE("changes that are tried out say what would be refused, and change nothing") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    commit(*kernel, changes_to_add(small_table()));
    const auto before = kernel->read();
    Nftables nftables;
    const std::vector<Change> changes{AddTable{}, AddChain{"other", {}}, AddRule{"absent", {{Counter{}}}},
                                      AddRule{"other", {{Counter{}}}}, AddChain{"pre", {}}};
    CHECK(nftables.try_out(changes) == std::vector<int>{0, 0, ENOENT, 0, EEXIST});
    CHECK(nftables.try_out({}).empty());
    CHECK(kernel->read().plan.table == before.plan.table);
    CHECK(kernel->read().generation == before.generation);
    CHECK(run("nft list tables") == "table inet natctl\n");
}

TEST_CASE("deleting a table that is not there is refused") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    const Refusal refusal = refused(*kernel, {DeleteTable{}});
    CHECK(refusal.error == ENOENT);
    CHECK(refusal.text.starts_with("cannot delete table inet natctl: No such file or directory; "));
}

TEST_CASE("interval sets: overlaps are refused, neighbours are not, changed data need delete and add") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    const SetSpec spec{.name = "own4", .key = {Datatype::ipv4_addr}, .interval = true};
    commit(*kernel, {AddTable{}, AddSet{spec}, AddElements{spec, {range("10.0.0.0", "10.0.0.127")}}});
    CHECK(refused(*kernel, {AddElements{spec, {range("10.0.0.64", "10.0.0.255")}}}).error == EEXIST);
    const auto elements = [&] { return kernel->read().plan.table->sets.front().elements; };

    commit(*kernel, {AddElements{spec, {range("10.0.0.128", "10.0.0.255"), range("255.0.0.0", "255.255.255.255")}}});
    CHECK(elements() == std::vector{range("10.0.0.0", "10.0.0.127"), range("10.0.0.128", "10.0.0.255"),
                                    range("255.0.0.0", "255.255.255.255")});
    commit(*kernel, {DeleteElements{spec, {range("10.0.0.0", "10.0.0.127"), range("255.0.0.0", "255.255.255.255")}}});
    CHECK(elements() == std::vector{range("10.0.0.128", "10.0.0.255")});
    commit(*kernel, {AddElements{spec, {range("0.0.0.0", "10.0.0.127")}}});
    CHECK(elements() == std::vector{range("0.0.0.0", "10.0.0.127"), range("10.0.0.128", "10.0.0.255")});
    // Nobody's element stays in the way of what comes later.
    commit(*kernel, {DeleteElements{spec, elements()}, AddElements{spec, {range("0.0.0.0", "255.255.255.255")}}});
    CHECK(elements() == std::vector{range("0.0.0.0", "255.255.255.255")});
}

TEST_CASE("one element is replaced, rules are replaced, in one batch") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    Table table = small_table();
    commit(*kernel, changes_to_add(table));
    const SetSpec hosts = table.sets.front().spec;
    const Rule rule{{Lookup{{Field::ip_saddr}, "hosts"}, Verdict{VerdictKind::drop}}};
    commit(*kernel, {FlushChain{"pre"}, DeleteElements{hosts, table.sets.front().elements},
                     AddElements{hosts, {mapping("240.1.1.1", "10.0.0.9")}}, AddRule{"pre", rule},
                     AddRule{"pre", {{Counter{}}}}});
    table.sets.front().elements = {mapping("240.1.1.1", "10.0.0.9")};
    table.chains.edit().front().rules = {rule, {{Counter{}}}};
    CHECK(kernel->read().plan.table == table);
}

TEST_CASE("a chain goes only when nothing leads to it") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    FakeKernel fake;
    const SetSpec ways{.name = "ways", .key = {Datatype::ipv4_addr}, .data = Datatype::verdict, .interval = true};
    const auto lead = verdict_data({VerdictKind::jump, "a"});
    const Element element(*Address::parse("10.0.0.0"), *Address::parse("10.0.0.255"), std::span(lead));
    for (Kernel* each : {static_cast<Kernel*>(&*kernel), static_cast<Kernel*>(&fake)}) {
        commit(*each, {AddTable{}, AddSet{ways}, AddChain{"a", {}}, AddChain{"b", {}}, AddElements{ways, {element}},
                       AddRule{"b", {{Verdict{VerdictKind::goto_, "a"}}}}});
        CHECK(refused(*each, {DeleteChain{"a"}}).error == EBUSY);
        CHECK(refused(*each, {DeleteElements{ways, {element}}, DeleteChain{"a"}}).error == EBUSY);
        CHECK(refused(*each, {FlushChain{"b"}, DeleteChain{"a"}}).error == EBUSY);
        CHECK(refused(*each, {DeleteChain{"absent"}}).error == ENOENT);
        CHECK(refused(*each, {DeleteChain{"b"}, DeleteElements{ways, {element}}, DeleteChain{"a"},
                              AddElements{ways, {element}}})
                  .error == ENOENT);
        commit(*each, {DeleteElements{ways, {element}}, FlushChain{"b"}, DeleteChain{"a"}});
        CHECK(each->read().plan.table->chains.size() == 1);
    }
}

TEST_CASE("the table can be replaced as a whole, and goes") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    commit(*kernel, changes_to_add(small_table()));
    std::vector<Change> changes{DeleteTable{}};
    std::ranges::copy(changes_to_add(sample_table()), std::back_inserter(changes));
    commit(*kernel, changes);
    CHECK(kernel->read().plan.table == sample_table());
    commit(*kernel, {DeleteTable{}});
    CHECK(!kernel->read().plan.table);
}

TEST_CASE("other tables stay as they are, and are not read") {
    const FreshNamespace fresh;
    load("table inet foreign { set natctl { type ipv4_addr; }\n"
         "chain pre { type filter hook prerouting priority 0; policy accept; counter; }\n"
         "chain natctl { ip saddr 10.0.0.1 drop; }\n }\n"
         "table ip natctl { chain pre { counter; }\n }\n");
    const std::string before = run("nft --stateless list ruleset");
    const auto kernel = make_linux_kernel();
    CHECK(kernel->read().plan == Plan{});
    commit(*kernel, changes_to_add(sample_table()));
    CHECK(kernel->read().plan.table == sample_table());
    CHECK(run("nft --stateless list table inet foreign") + run("nft --stateless list table ip natctl") == before);
    commit(*kernel, {DeleteTable{}});
    CHECK(run("nft --stateless list ruleset") == before);
}

TEST_CASE("what somebody else wrote into our table shows") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    commit(*kernel, changes_to_add(small_table()));
    const auto differs_after = [&](const std::string& command, const std::string& undo) {
        run(command);
        const bool differs = kernel->read().plan.table != small_table();
        run(undo);
        const bool back = kernel->read().plan.table == small_table();
        return differs && back;
    };
    CHECK(differs_after("nft add element inet natctl hosts '{ 240.1.1.2 : 10.0.0.2 }'",
                        "nft delete element inet natctl hosts '{ 240.1.1.2 }'"));
    CHECK(differs_after("nft add set inet natctl s '{ type inet_service; }'", "nft delete set inet natctl s"));
    CHECK(differs_after("nft add set inet natctl s '{ type ipv4_addr; flags timeout; }'",
                        "nft delete set inet natctl s"));
    CHECK(differs_after("nft add chain inet natctl c", "nft delete chain inet natctl c"));
    CHECK(differs_after("nft add chain inet natctl pre '{ policy drop; }'",
                        "nft add chain inet natctl pre '{ policy accept; }'"));
    CHECK(differs_after("nft add table inet natctl '{ flags dormant; }'", "nft add table inet natctl '{ }'"));
    for (const char* rule :
         {"tcp dport 80 drop", "meta l4proto { tcp, udp } accept", "ip saddr 10.0.0.0/8 drop", "log prefix x",
          "limit rate 1/second accept", "iifname eth* drop", "meta mark set ct mark", "ip saddr < 10.0.0.1 drop",
          "numgen random mod 2 0 drop", "meta nfproto ipv4", "counter"}) {
        run("nft add rule inet natctl pre '" + std::string(rule) + "'");
        CHECK_MESSAGE(kernel->read().plan.table != small_table(), rule);
        commit(*kernel, {FlushChain{"pre"}, AddRule{"pre", {{Counter{}}}}});
        CHECK_MESSAGE(kernel->read().plan.table == small_table(), rule);
    }
}

TEST_CASE("sets of many messages") {
    const FreshNamespace fresh;
    const auto kernel = make_linux_kernel();
    constexpr std::uint32_t count = 65536;
    Table table;
    Set& hosts = table.sets.emplace_back(
        Set{{.name = "hosts", .key = {Datatype::ipv4_addr}, .data = Datatype::ipv4_addr, .size = 2 * count}, {}});
    Set prefixes{{.name = "prefixes",
                  .key = {Datatype::ipv6_addr},
                  .data = Datatype::ipv6_addr,
                  .interval = true,
                  .data_interval = true},
                 {}};
    Set pairs{{.name = "pairs", .key = {Datatype::ifname, Datatype::ipv4_addr}, .interval = true}, {}};
    for (std::uint32_t index = 0; index < count; ++index)
        hosts.elements.edit().push_back(
            {Address::v4(0xf0010000 + index), Address::v4(0xf0010000 + index), Address::v4(0x0a000000 + index)});
    for (std::uint32_t index = 0; index < 3000; ++index) {
        Bytes first = Address::v4(0xfd010000);
        first.append(Address::v4(index));
        first.append(Address::v4(0));
        Bytes last = first;
        first.append(Address::v4(0));
        last.append(Address::v4(0xff));
        Bytes both = first;
        both.append(last.span());
        prefixes.elements.edit().emplace_back(first, last, both);
        Bytes pair;
        pair.append_interface("overlay0");
        Bytes end = pair;
        pair.append(Address::v4(0xf0000000 + index * 256));
        end.append(Address::v4(0xf00000ff + index * 256));
        pairs.elements.edit().emplace_back(pair, end);
    }
    table.sets.push_back(prefixes);
    table.sets.push_back(pairs);

    const std::vector<Change> changes = changes_to_add(table);
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    REQUIRE(commit(*kernel, changes) == CommitResult::done);
    const auto committed = Clock::now();
    const Snapshot snapshot = kernel->read();
    const auto read = Clock::now();
    CHECK(snapshot.plan.table == table);
    const auto milliseconds = [](auto span) {
        return std::chrono::duration_cast<std::chrono::milliseconds>(span).count();
    };
    MESSAGE("65,536 hosts and 2 x 3,000 prefixes: commit " << milliseconds(committed - start) << " ms, read "
                                                           << milliseconds(read - committed) << " ms");
    commit(*kernel, {DeleteElements{table.sets[0].spec, table.sets[0].elements},
                     DeleteElements{table.sets[1].spec, table.sets[1].elements},
                     DeleteElements{table.sets[2].spec, table.sets[2].elements}});
    const Snapshot emptied = kernel->read();
    for (const Set& set : emptied.plan.table->sets) CHECK(set.elements.empty());
}

TEST_CASE("what one socket owns no other changes; closed, it leaves the table behind, and another takes it over") {
    const FreshNamespace fresh;
    auto owner = std::make_shared<Nftables>();
    const auto kernel = make_linux_kernel({.tables = owner});
    auto table = small_table();
    table.ownable = true;
    commit(*kernel, {AddTable{.ownable = true}, AddSet{table.sets[0].spec}});
    CHECK(owner->owns());
    CHECK(!owner->is_anothers());
    CHECK(kernel->read().plan.table->ownable);

    const auto other = make_linux_kernel();
    const AddElements elements{table.sets[0].spec, table.sets[0].elements};
    const Refusal refusal = refused(*other, {elements});
    CHECK(refusal.error == EPERM);
    CHECK_MESSAGE(refusal.text.find("natctl-agent owns it") != std::string::npos, refusal.text);
    CHECK(refused(*other, {DeleteTable{}}).error == EPERM);
    run("nft flush ruleset");
    CHECK(commit(*kernel, {elements}) == CommitResult::done);

    auto next = std::make_shared<Nftables>();
    CHECK(next->is_anothers());
    CHECK(!next->take_over(next->generation()));
}

TEST_CASE("a table that its owner left behind is as it was, and anybody's") {
    const FreshNamespace fresh;
    const std::vector<Change> made{AddTable{.ownable = true}, AddChain{"pre", {}}, AddRule{"pre", {{Counter{}}}}};
    commit(*make_linux_kernel(), made);
    const auto before = list_table();
    REQUIRE(before.find("counter") != std::string::npos);

    Nftables next;
    CHECK(!next.is_anothers());
    const auto generation = next.generation();
    CHECK(!next.take_over(generation + 1));
    CHECK(!next.owns());
    CHECK(next.take_over(generation));
    CHECK(next.owns());
    CHECK(next.generation() == generation + 1);
    CHECK(Nftables().is_anothers());
    CHECK(make_linux_kernel()->read().plan.table->chains.size() == 1);

    const std::vector<Change> gone{DeleteTable{}};
    CHECK(next.commit(gone, 0) == CommitResult::done);
    CHECK(!next.owns());
    CHECK(!next.take_over(next.generation()));
}

TEST_CASE("a table that was made for all to change stays so") {
    const FreshNamespace fresh;
    const auto other = make_linux_kernel();
    commit(*other, {AddTable{}});
    Nftables tables;
    CHECK(!tables.take_over(tables.generation()));
    CHECK(refused(*other, {AddTable{.ownable = true}}).error == EOPNOTSUPP);
}
