// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "nftctl/plan/translator.h"
#include "tests/unit/plan_edit.h"
#include "tests/unit/random_site.h"

using namespace natctl;
using namespace natctl::test;

namespace {

Address at(const std::string& text) { return Address::parse(text).value(); }
Prefix prefix(const std::string& text) { return Prefix::parse(text).value(); }
Map map(const std::string& virt, const std::string& real) { return {prefix(virt), prefix(real), {}, {}}; }

Facts router(const std::string& address = "192.168.1.1") {
    Facts facts;
    facts.forwarding4 = facts.forwarding6 = true;
    facts.interfaces = {{"lan0", 2, true, {{at(address), 24}, {at("fd00:a::1"), 64}}},
                        {"lan1", 3, true, {{at("10.10.10.10"), 24}}},
                        {"ov0", 4, true, {{at("172.31.0.1"), 24}}},
                        {"wg0", 5, true, {}}};
    return facts;
}

struct Edit : test::PlanEdit {
    Edit(const Site& from, const Site& to, const Facts& facts_before = router(), const Facts& facts_after = router())
        : test::PlanEdit(compile(from, facts_before), compile(to, facts_after)) {}
};

ConnectionFilter called(const std::string& address) {
    return {.family = Family::ipv4, .original = {.destination = at(address)}};
}
ConnectionFilter shown(const std::string& address) {
    return {.family = Family::ipv4, .reply = {.destination = at(address)}};
}

Site site_a() {
    Site site;
    site.name = "a";
    site.lan = {"lan0"};
    site.maps = {map("240.1.1.0/24", "192.168.1.0/24"), map("fd01:1::/64", "fd00:a::/64")};
    site.peers = {{.name = "b", .virtual_prefixes = {prefix("240.2.2.0/24")}, .links = {DevLink{.dev = "ov0"}}}};
    return site;
}

Site with(Site site, const Map& map) {
    site.maps.push_back(map);
    return site;
}

/// As a person edits: one host more, less, or elsewhere; sometimes several, or a peer with one name.
Site small_edit(Site site, std::mt19937& random) {
    const auto below = [&](unsigned count) { return static_cast<unsigned>(random() % count); };
    const auto take = [&](const std::vector<std::string>& networks, auto is_taken) {
        for (;;) {
            const auto address = prefix(networks[below(unsigned(networks.size()))] + std::to_string(below(64)));
            if (std::ranges::none_of(site.maps, [&](const Map& one) { return is_taken(one) == address; }))
                return address;
        }
    };
    const auto name = [&] {
        return take({"240.1.1.", "240.1.10.", "240.1.77."}, [](const Map& one) { return one.virtual_prefix; });
    };
    const auto real = [&] {
        return take({"192.168.1.", "10.10.10.", "172.20.0."}, [](const Map& one) { return one.real_prefix; });
    };
    std::vector<std::size_t> hosts;
    for (std::size_t i = 0; i < site.maps.size(); ++i)
        if (site.maps[i].is_host() && site.maps[i].virtual_prefix.family() == Family::ipv4) hosts.push_back(i);
    for (unsigned edits = 1 + below(4) / 3; edits > 0; --edits) {
        const auto kind = below(6);
        if (kind == 0)
            site.peers.push_back({.name = "one" + std::to_string(site.peers.size()),
                                  .virtual_prefixes = {prefix("240.99.0." + std::to_string(site.peers.size()))},
                                  .links = {DevLink{.dev = "ov0"}}});
        else if (kind == 1 && !site.peers.empty())
            site.peers.pop_back();
        else if (hosts.empty() || kind == 2)
            site.maps.push_back({name(), real(), {}, {}});
        else if (kind == 3)
            site.maps[hosts.back()].real_prefix = real();
        else if (kind == 4)
            site.maps[hosts.front()].virtual_prefix = name();
        else {
            site.maps.erase(site.maps.begin() + static_cast<std::ptrdiff_t>(hosts.back()));
            hosts.pop_back();
        }
    }
    return site;
}

/// Addresses that matter to one of the sites, and their neighbours.
std::vector<Address> addresses_of(const Site& first, const Site& second) {
    std::vector<Address> addresses{at("192.168.1.1"), at("192.168.1.254"), at("198.51.100.7")};
    const auto add = [&](const Prefix& one) {
        if (one.family() != Family::ipv4) return;
        Address address = one.first();
        for (unsigned i = 0; i < 24 && address <= one.last(); ++i, address = *address.next())
            addresses.push_back(address);
    };
    for (const auto* site : {&first, &second}) {
        for (const auto& one : site->maps) {
            add(one.virtual_prefix);
            add(one.real_prefix);
        }
        for (const auto& peer : site->peers)
            for (const auto& one : peer.virtual_prefixes) add(one);
    }
    return addresses;
}

/// Mostly as `plan` would translate it.
Connection random_connection(const Translator& plan, const std::vector<Address>& addresses, std::mt19937& random) {
    const auto once_in = [&](unsigned count) { return random() % count == 0; };
    const auto any = [&]() -> const Address& { return addresses[random() % addresses.size()]; };
    Connection made;
    made.original = {.source = any(), .destination = any(), .source_port = 40000, .destination_port = 80};
    const auto& [source, destination, source_port, destination_port, icmp] = made.original;
    const bool to_peer = plan.is_peer(destination);
    made.reply.source = once_in(8) ? any() : plan.real_of(destination).value_or(destination);
    made.reply.destination = once_in(8)   ? any()
                             : to_peer    ? plan.source_to_peer(source).value_or(source)
                             : once_in(2) ? plan.name_of(source).value_or(source)
                                          : source;
    const std::vector<std::uint32_t> marks{0, plan.link_mark()->value, plan.tunnel_mark()->value};
    made.mark = marks[random() % marks.size()];
    if (made.reply.source != destination) made.status |= connection_dnat;
    return made;
}

} // namespace

TEST_CASE("a change of one host is looked for by its addresses") {
    const auto first = with(site_a(), map("240.1.1.200", "10.10.10.7"));
    CHECK(Edit(first, with(site_a(), map("240.1.1.200", "10.10.10.8"))).stale.filters() ==
          std::vector{called("240.1.1.200"), shown("240.1.1.200")});
    // Without it the name is that of its place in the prefix again.
    CHECK(Edit(first, site_a()).stale.filters() == std::vector{called("240.1.1.200"), shown("240.1.1.200")});
    // A name beside all prefixes was nobody's before.
    CHECK(Edit(site_a(), with(site_a(), map("240.1.9.9", "10.10.10.7"))).stale.filters() ==
          std::vector{called("240.1.9.9"), shown("240.1.9.9")});
    CHECK(Edit(site_a(), site_a(), router(), router("192.168.1.254")).stale.filters() ==
          std::vector{shown("240.1.1.1")});
}

TEST_CASE("more than that is looked for by mark") {
    const auto by_mark = [](const Plan& before, const Plan& after) {
        const Transaction change = diff(before, after);
        const auto filters = StaleFlows(before, after, change).filters();
        return !filters.empty() && std::ranges::none_of(filters, &ConnectionFilter::by_address);
    };
    const auto many = [&](const Edit& edit) { return by_mark(edit.before, edit.after); };
    const auto one = with(site_a(), map("240.1.1.200", "10.10.10.7"));
    CHECK(many(Edit(site_a(), with(one, map("240.1.1.201", "10.10.10.8")))));
    CHECK(many(Edit(site_a(), with(site_a(), map("240.1.10.0/24", "10.10.10.0/24")))));
    auto other_peer = one;
    other_peer.peers[0].virtual_prefixes = {prefix("240.3.3.0/24")};
    CHECK(many(Edit(site_a(), other_peer)));
    // The kernel cannot compare IPv6 addresses.
    CHECK(many(Edit(site_a(), with(site_a(), map("fd01:1::99", "fd00:a::7")))));
    const Plan after = compile(one, router());
    // Nobody knows what was there before a table that is made anew.
    CHECK(by_mark(Plan{}, after));
    // Somebody put one of our names on the white list, which hides it.
    Plan hidden = compile(site_a(), router());
    const auto white =
        std::ranges::find(hidden.table->sets, "white4", [](const nft::Set& set) { return set.spec.name; });
    white->elements.edit().push_back({at("240.1.1.7"), at("240.1.1.7")});
    CHECK(by_mark(hidden, after));
}

TEST_CASE("for random sites and small edits, the filters let through every flow that was right and is wrong now") {
    std::mt19937 random(20261121);
    unsigned by_addresses = 0;
    unsigned found = 0;
    for (int round = 0; round < 250; ++round) {
        CAPTURE(round);
        const auto first = random_site(random);
        const auto second = small_edit(first, random);
        const bool moved = random() % 8 == 0;
        const Edit edit(first, second, router(), moved ? router("192.168.1.254") : router());
        const auto filters = edit.stale.filters();
        const bool limited = std::ranges::any_of(filters, &ConnectionFilter::by_address);
        if (limited) ++by_addresses;
        const Transaction nothing;
        const StaleFlows unchanged(edit.before, edit.before, nothing);
        const Translator before(edit.before, Family::ipv4);
        const auto addresses = addresses_of(first, second);
        for (int flow = 0; flow < 800; ++flow) {
            const auto made = random_connection(before, addresses, random);
            if (unchanged.is_stale(made) || !edit.stale.is_stale(made)) continue;
            CAPTURE(made.original.source.text());
            CAPTURE(made.original.destination.text());
            CAPTURE(made.reply.source.text());
            CAPTURE(made.reply.destination.text());
            CAPTURE(made.mark);
            if (limited || made.mark != 0)
                CHECK(std::ranges::any_of(filters, [&](const ConnectionFilter& one) { return one.matches(made); }));
            if (limited) ++found;
        }
    }
    CHECK(by_addresses > 100);
    CHECK(found > 500);
}
