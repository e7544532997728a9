// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/linux_kernel.h"
#include "tests/support/fake_kernel.h"
#include "tests/unit/kernel_live.h"
#include "tests/unit/kernel_sample.h"

using namespace natctl;
using namespace natctl::nft;
using namespace natctl::test;

namespace {

int error_of(Kernel& kernel, const std::vector<Change>& changes) {
    try {
        kernel.commit({.changes = changes}, kernel.read().generation);
    } catch (const SystemError& error) {
        return error.error();
    }
    return 0;
}

SetSpec plain(const char* name) { return {.name = name, .key = {Datatype::ipv4_addr}, .size = 3}; }

SetSpec map(const char* name) {
    return {.name = name, .key = {Datatype::ipv4_addr}, .data = Datatype::ipv4_addr, .size = 3};
}

SetSpec intervals(const char* name) { return {.name = name, .key = {Datatype::ipv4_addr}, .interval = true}; }

SetSpec timed(const char* name) {
    return {.name = name, .key = {Datatype::ipv4_addr}, .interval = true, .timeout = true};
}

SetSpec pairs(const char* name) {
    return {.name = name, .key = {Datatype::ipv4_addr, Datatype::ipv4_addr}, .interval = true};
}

Element pair(const char* first, const char* last, const char* second_first, const char* second_last) {
    Bytes low = Address::parse(first).value();
    Bytes high = Address::parse(last).value();
    low.append(Address::parse(second_first).value());
    high.append(Address::parse(second_last).value());
    return {low, high};
}

AddRule jump(const char* from, const char* to) { return {from, {{Verdict{VerdictKind::jump, to}}}}; }

} // namespace

TEST_CASE("the fake kernel accepts and refuses what the real one does") {
    const FreshNamespace fresh;
    const auto real = make_linux_kernel();
    FakeKernel fake;
    const Hook hook{ChainType::filter, HookPoint::prerouting, 0};
    const Hook nat_hook{ChainType::nat, HookPoint::prerouting, 0};
    const auto host = [](const char* address) { return range(address, address); };
    const std::vector<std::vector<Change>> batches{
        {AddSet{plain("plain")}},
        {AddChain{"early", {}}},
        {DeleteTable{}},
        {AddTable{}},
        {AddTable{}},
        {AddSet{plain("plain")}, AddSet{intervals("intervals")}, AddSet{pairs("pairs")}, AddSet{map("map")}},
        {AddSet{plain("plain")}},
        {AddElements{plain("absent"), {host("10.0.0.1")}}},
        {AddElements{plain("plain"), {host("10.0.0.1"), host("10.0.0.2")}}},
        {AddElements{plain("plain"), {host("10.0.0.1")}}},
        {AddElements{plain("plain"), {host("10.0.0.3"), host("10.0.0.4")}}},
        {DeleteElements{plain("plain"), {host("10.0.0.2")}},
         AddElements{plain("plain"), {host("10.0.0.3"), host("10.0.0.4")}}},
        {DeleteElements{plain("plain"), {host("10.0.0.2")}}},
        {DeleteElements{plain("absent"), {host("10.0.0.2")}}},
        {AddElements{map("map"), {mapping("10.0.0.1", "10.1.0.1")}}},
        {AddElements{map("map"), {mapping("10.0.0.1", "10.1.0.1")}}},
        {AddElements{map("map"), {mapping("10.0.0.1", "10.1.0.2")}}},
        {DeleteElements{map("map"), {host("10.0.0.1")}}, AddElements{map("map"), {mapping("10.0.0.1", "10.1.0.2")}}},
        {AddElements{intervals("intervals"), {range("10.0.0.0", "10.0.0.255"), range("10.0.2.0", "10.0.2.255")}}},
        {AddElements{intervals("intervals"), {range("10.0.0.0", "10.0.0.255")}}},
        {AddElements{intervals("intervals"), {range("10.0.0.0", "10.0.0.127")}}},
        {AddElements{intervals("intervals"), {range("10.0.0.128", "10.0.1.255")}}},
        {AddElements{intervals("intervals"), {range("9.0.0.0", "11.0.0.0")}}},
        {AddElements{intervals("intervals"), {range("10.0.1.0", "10.0.1.255")}}},
        {DeleteElements{intervals("intervals"), {range("10.0.3.0", "10.0.3.255")}}},
        {AddSet{timed("timed")}, AddElements{timed("timed"),
                                             {range("10.0.0.0", "10.0.0.255"), range("10.0.1.0", "10.0.1.255")},
                                             {{Address::parse("10.0.0.0").value(), std::chrono::hours(1)}}}},
        {AddElements{timed("timed"), {range("10.0.0.128", "10.0.2.255")}}},
        {DeleteElements{timed("timed"), {range("10.0.0.0", "10.0.0.255")}},
         AddElements{timed("timed"),
                     {range("10.0.0.0", "10.0.0.255")},
                     {{Address::parse("10.0.0.0").value(), std::chrono::hours(2)}}}},
        {DeleteElements{timed("timed"), {range("10.0.0.0", "10.0.0.255"), range("10.0.1.0", "10.0.1.255")}}},
        {DeleteElements{timed("timed"), {range("10.0.0.0", "10.0.0.255")}}},
        {AddElements{pairs("pairs"), {pair("10.0.0.0", "10.0.0.255", "10.9.0.0", "10.9.0.255")}}},
        {AddElements{pairs("pairs"), {pair("10.0.0.0", "10.0.0.255", "10.9.1.0", "10.9.1.255")}}},
        {AddElements{pairs("pairs"), {pair("10.0.0.8", "10.0.0.15", "10.9.0.8", "10.9.0.15")}}},
        {AddChain{"base", hook}, AddChain{"one", {}}, AddChain{"two", {}}, AddChain{"nat", nat_hook}},
        {AddChain{"base", hook}},
        {AddChain{"one", {}}},
        {FlushChain{"absent"}},
        {FlushChain{"one"}},
        {AddRule{"absent", {{Counter{}}}}},
        {AddRule{"one", {{Lookup{{Field::ip_saddr}, "absent"}}}}},
        {AddRule{"one", {{Lookup{{Field::ip_saddr}, "plain"}}}}},
        {AddRule{"nat", {{NatMap{NatKind::dnat, Field::ip_daddr, "absent"}}}}},
        {AddRule{"nat", {{NatMap{NatKind::dnat, Field::ip_daddr, "plain"}}}}},
        {AddRule{"nat", {{NatMap{NatKind::dnat, Field::ip_daddr, "map"}}}}},
        {jump("base", "absent")},
        {jump("one", "base")},
        {jump("base", "one"), jump("one", "two")},
        {jump("two", "one")},
        {jump("two", "two")},
        {FlushChain{"base"}, FlushChain{"one"}, jump("two", "one")},
        {DeleteTable{}, AddTable{}, AddSet{plain("plain")}},
        {DeleteTable{}},
    };
    for (std::size_t index = 0; index < batches.size(); ++index) {
        CAPTURE(index);
        CHECK(error_of(fake, batches[index]) == error_of(*real, batches[index]));
        CHECK(fake.read().plan.table == real->read().plan.table);
        CHECK(fake.read().generation == real->read().generation);
    }
}
