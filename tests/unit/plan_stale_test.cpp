// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cerrno>
#include <random>

#include <doctest/doctest.h>

#include "nftctl/kernel/apply.h"
#include "nftctl/plan/addressing.h"
#include "tests/support/fake_kernel.h"
#include "tests/unit/plan_edit.h"

using namespace natctl;
using natctl::test::FakeKernel;

namespace {

constexpr std::uint8_t tcp = 6;
constexpr std::uint8_t udp = 17;
constexpr std::uint8_t icmp = 1;
constexpr std::uint32_t snat = 0x10;

Address at(const std::string& text) { return Address::parse(text).value(); }

Map map(const std::string& virt, const std::string& real) {
    return {Prefix::parse(virt).value(), Prefix::parse(real).value(), {}, {}};
}

Peer peer(const std::string& name, const std::string& virt, Link link = DevLink{.dev = "ov0"}) {
    return {.name = name, .virtual_prefixes = {Prefix::parse(virt).value()}, .links = {std::move(link)}};
}

Site site_a() {
    Site site;
    site.name = "a";
    site.lan = {"lan0"};
    site.maps = {map("240.1.1.0/24", "192.168.1.0/24"), map("fd01:1::/64", "fd00:a::/64")};
    site.peers = {peer("b", "240.2.2.0/24"), peer("b6", "fd01:2::/64"), peer("c", "240.3.3.0/24")};
    return site;
}

Facts router() {
    Facts facts;
    facts.forwarding4 = facts.forwarding6 = true;
    facts.interfaces = {{"lan0", 2, true, {{at("192.168.1.1"), 24}, {at("fd00:a::1"), 64}}},
                        {"ov0", 3, true, {{at("172.31.0.1"), 24}}}};
    return facts;
}

/// A connection whose destination and source NAT turned into `reached` and `shown`.
Connection connection(const std::string& source, const std::string& called, const std::string& reached,
                      const std::string& shown, std::uint32_t mark = 0, std::uint8_t protocol = tcp) {
    Connection made;
    made.original = {at(source), at(called), 40000, 80};
    made.reply = {at(reached), at(shown), 80, 40000};
    made.protocol = protocol;
    made.mark = mark;
    if (called != reached) made.status |= connection_dnat;
    if (source != shown) made.status |= snat;
    return made;
}

Connection outbound(const std::string& real, const std::string& far, const std::string& name,
                    std::uint8_t protocol = tcp) {
    return connection(real, far, far, name, Marks().link().value, protocol);
}

Connection inbound(const std::string& far, const std::string& name, const std::string& real,
                   std::uint8_t protocol = tcp) {
    return connection(far, name, real, far, Marks().link().value, protocol);
}

struct Edit : test::PlanEdit {
    Edit(Plan from, Plan to) : test::PlanEdit(std::move(from), std::move(to)) {}
    Edit(const Site& from, const Site& to) : Edit(compile(from, router()), compile(to, router())) {}

    std::vector<ConnectionFilter> filters = stale.filters();

    bool wrong(const Connection& c) const {
        const bool is = stale.is_stale(c);
        if (is) CHECK(std::ranges::any_of(filters, [&](const ConnectionFilter& f) { return f.matches(c); }));
        return is;
    }
};

} // namespace

TEST_CASE("a host map that changes its target ends the flows of that name, in both directions, of all protocols") {
    auto first = site_a();
    first.maps.push_back(map("240.1.1.200", "10.10.10.7"));
    auto second = site_a();
    second.maps.push_back(map("240.1.1.200", "10.10.10.8"));
    const Edit edit(first, second);
    for (const auto protocol : {tcp, udp, icmp}) {
        CHECK(edit.wrong(inbound("240.2.2.20", "240.1.1.200", "10.10.10.7", protocol)));
        CHECK(edit.wrong(outbound("10.10.10.7", "240.2.2.20", "240.1.1.200", protocol)));
        CHECK_FALSE(edit.wrong(inbound("240.2.2.20", "240.1.1.20", "192.168.1.20", protocol)));
        CHECK_FALSE(edit.wrong(outbound("192.168.1.20", "240.2.2.20", "240.1.1.20", protocol)));
    }
    // Inside the site, from another host and from the router itself.
    CHECK(edit.wrong(connection("192.168.1.20", "240.1.1.200", "10.10.10.7", "240.1.1.20")));
    CHECK(edit.wrong(connection("192.168.1.1", "240.1.1.200", "10.10.10.7", "192.168.1.1")));
    CHECK(edit.wrong(connection("10.10.10.7", "240.1.1.20", "192.168.1.20", "240.1.1.200")));
    CHECK_FALSE(edit.wrong(connection("192.168.1.21", "240.1.1.20", "192.168.1.20", "240.1.1.21")));
}

TEST_CASE("a name that a host gets is no longer its former host's; the host's former name still is") {
    auto second = site_a();
    second.maps.push_back(map("240.1.1.60", "192.168.1.61"));
    const Edit edit(site_a(), second);
    CHECK(edit.wrong(inbound("240.2.2.20", "240.1.1.60", "192.168.1.60")));
    CHECK(edit.wrong(outbound("192.168.1.60", "240.2.2.20", "240.1.1.60")));
    // Its place in the prefix names it as well.
    CHECK_FALSE(edit.wrong(inbound("240.2.2.20", "240.1.1.61", "192.168.1.61")));
    CHECK_FALSE(edit.wrong(outbound("192.168.1.61", "240.2.2.20", "240.1.1.61")));
    CHECK_FALSE(edit.wrong(connection("192.168.1.61", "240.1.1.20", "192.168.1.20", "240.1.1.61")));
    CHECK_FALSE(edit.wrong(outbound("192.168.1.62", "240.2.2.20", "240.1.1.62")));
}

TEST_CASE("what a host began under the router's name goes on when the host gets a name") {
    auto second = site_a();
    second.maps.push_back(map("240.1.1.200", "10.10.10.7"));
    const Edit edit(site_a(), second);
    CHECK_FALSE(edit.wrong(outbound("10.10.10.7", "240.2.2.20", "240.1.1.1")));
    // What it began under its name ends with the name, which is that of its place in the prefix again.
    const Edit back(second, site_a());
    CHECK(back.wrong(outbound("10.10.10.7", "240.2.2.20", "240.1.1.200")));
}

TEST_CASE("with a peer its flows go, by link and tunnel, and in transit; those of others stay") {
    auto second = site_a();
    second.peers.erase(second.peers.begin());
    const Edit edit(site_a(), second);
    const auto tunnel = Marks().tunnel().value;
    CHECK(edit.wrong(outbound("192.168.1.20", "240.2.2.20", "240.1.1.20")));
    CHECK(edit.wrong(inbound("240.2.2.20", "240.1.1.20", "192.168.1.20", udp)));
    CHECK(edit.wrong(connection("192.168.1.20", "240.2.2.20", "240.2.2.20", "192.168.1.20", tunnel)));
    CHECK(edit.wrong(connection("240.3.3.20", "240.2.2.20", "240.2.2.20", "240.3.3.20", Marks().link().value)));
    CHECK_FALSE(edit.wrong(outbound("192.168.1.20", "240.3.3.20", "240.1.1.20")));
    CHECK_FALSE(edit.wrong(inbound("240.3.3.20", "240.1.1.20", "192.168.1.20")));
    CHECK_FALSE(edit.wrong(connection("192.168.1.20", "240.3.3.20", "240.3.3.20", "192.168.1.20", tunnel)));
    CHECK_FALSE(edit.wrong(outbound("fd00:a::20", "fd01:2::20", "fd01:1::20")));
}

TEST_CASE("the router's other address ends what goes under its name, and nothing else") {
    auto moved = router();
    moved.interfaces[0].addresses[0].address = at("192.168.1.254");
    const Edit edit(compile(site_a(), router()), compile(site_a(), moved));
    // A guest, who has no name of his own.
    CHECK(edit.wrong(outbound("192.168.77.20", "240.2.2.20", "240.1.1.1")));
    CHECK_FALSE(edit.wrong(outbound("192.168.1.20", "240.2.2.20", "240.1.1.20")));
}

TEST_CASE("a peer that moves between links keeps its flows") {
    auto second = site_a();
    second.peers[0].links = {SocksLink{.server = *Endpoint::parse("198.51.100.2:1080")}};
    for (const auto& edit : {Edit(site_a(), second), Edit(second, site_a())}) {
        CHECK(edit.stale.filters().empty());
        CHECK_FALSE(edit.wrong(outbound("192.168.1.20", "240.2.2.20", "240.1.1.20")));
        CHECK_FALSE(
            edit.wrong(connection("192.168.1.20", "240.2.2.20", "240.2.2.20", "192.168.1.20", Marks().tunnel().value)));
    }
}

TEST_CASE("the first apply ends what began untranslated between our prefixes, and nothing else") {
    const Edit edit(Plan{}, compile(site_a(), router()));
    CHECK(edit.wrong(connection("192.168.1.20", "240.2.2.20", "240.2.2.20", "192.168.1.20", 0, icmp)));
    // Masqueraded on the WAN by somebody else.
    CHECK(edit.wrong(connection("192.168.1.20", "240.2.2.20", "240.2.2.20", "198.51.100.1", 0, udp)));
    CHECK(edit.wrong(connection("240.2.2.20", "240.1.1.20", "240.1.1.20", "240.2.2.20", 0, udp)));
    CHECK_FALSE(edit.wrong(connection("192.168.1.20", "198.51.100.66", "198.51.100.66", "198.51.100.1")));
    CHECK_FALSE(edit.wrong(connection("198.51.100.66", "198.51.100.1", "192.168.1.20", "198.51.100.66")));
    // Somebody flushed our table: flows that are translated as we would are none the worse.
    CHECK_FALSE(edit.wrong(outbound("192.168.1.20", "240.2.2.20", "240.1.1.20")));
    CHECK_FALSE(edit.wrong(inbound("240.2.2.20", "240.1.1.20", "192.168.1.20")));
}

TEST_CASE("a new peer ends what was on its way to the WAN in its name") {
    auto first = site_a();
    first.peers.erase(first.peers.begin());
    const Edit edit(first, site_a());
    CHECK(edit.wrong(connection("192.168.1.20", "240.2.2.20", "240.2.2.20", "198.51.100.1", 0, udp)));
    CHECK_FALSE(edit.wrong(outbound("192.168.1.20", "240.3.3.20", "240.1.1.20")));
}

TEST_CASE("down ends what our maps made") {
    const Edit edit(compile(site_a(), router()), Plan{});
    CHECK(edit.wrong(outbound("192.168.1.20", "240.2.2.20", "240.1.1.20")));
    CHECK(edit.wrong(inbound("240.2.2.20", "240.1.1.20", "192.168.1.20", icmp)));
    CHECK(edit.wrong(connection("192.168.1.21", "240.1.1.20", "192.168.1.20", "240.1.1.21")));
    CHECK(edit.wrong(outbound("fd00:a::20", "fd01:2::20", "fd01:1::20")));
    CHECK_FALSE(edit.wrong(connection("192.168.1.20", "198.51.100.66", "198.51.100.66", "198.51.100.1")));
    CHECK_FALSE(edit.wrong(connection("198.51.100.66", "198.51.100.1", "192.168.1.20", "198.51.100.66")));
}

TEST_CASE("a change that translates nothing differently looks through no connection") {
    auto second = site_a();
    second.white_list.prefixes = {Prefix::parse("203.0.113.0/24").value()};
    second.lan.push_back("lan1");
    CHECK_FALSE(diff(compile(site_a(), router()), compile(second, router())).empty());
    CHECK(Edit(site_a(), second).stale.filters().empty());

    auto other_family = site_a();
    other_family.maps.push_back(map("fd01:1::99", "fd00:a::7"));
    for (const auto& filter : Edit(site_a(), other_family).stale.filters()) CHECK(filter.family == Family::ipv6);
}

TEST_CASE("apply and down forget exactly the stale ones; doing so again looks at nothing") {
    FakeKernel kernel;
    kernel.facts = router();
    const auto plain = connection("192.168.1.20", "198.51.100.66", "198.51.100.66", "198.51.100.1");
    const auto early = connection("192.168.1.20", "240.2.2.20", "240.2.2.20", "198.51.100.1", 0, udp);
    const auto good = outbound("192.168.1.20", "240.3.3.20", "240.1.1.20");
    const auto doomed = outbound("192.168.1.20", "240.2.2.20", "240.1.1.20");
    kernel.connections = {plain, early, good};
    apply(kernel, site_a());
    CHECK(kernel.connections == std::vector{plain, good});

    kernel.connections.push_back(doomed);
    const auto walks = kernel.connection_walks;
    apply(kernel, site_a());
    CHECK(kernel.connection_walks == walks);
    auto without_b = site_a();
    without_b.peers.erase(without_b.peers.begin());
    apply(kernel, without_b);
    CHECK(kernel.connections == std::vector{plain, good});
    take_down(kernel);
    CHECK(kernel.connections == std::vector{plain});
}

TEST_CASE("when the kernel does not tell its connections, that is a warning") {
    FakeKernel kernel;
    kernel.facts = router();
    kernel.connection_failure = EINVAL;
    std::vector<std::string> warnings;
    apply(kernel, site_a(), [&](const std::string& text) { warnings.push_back(text); });
    CHECK(kernel.plan() == compile(site_a(), router()));
    REQUIRE(warnings.size() == 1);
    CHECK(warnings[0].find("conntrack -F") != std::string::npos);
}

TEST_CASE("a refused change that is put back ends what it translated meanwhile") {
    FakeKernel kernel;
    kernel.facts = router();
    apply(kernel, site_a());
    auto second = site_a();
    second.maps.push_back(map("240.1.1.200", "10.10.10.7"));
    second.peers.push_back(peer("d", "240.4.4.0/24"));
    kernel.connections = {inbound("240.2.2.20", "240.1.1.200", "10.10.10.7"),
                          inbound("240.2.2.20", "240.1.1.20", "192.168.1.20")};
    kernel.fail_at(FakeKernel::Step::add_routes, 0, EPERM);
    CHECK_THROWS(apply(kernel, second));
    CHECK(kernel.connections == std::vector{inbound("240.2.2.20", "240.1.1.20", "192.168.1.20")});
}

// --- against a model that knows no tables: the site's own words ------------------------------------------------------

namespace {

class Model {
public:
    explicit Model(const Site& site) : site_(site) {}

    bool is_peer(const Address& address) const {
        return std::ranges::any_of(site_.peers,
                                   [&](const Peer& peer) { return peer.virtual_prefixes[0].contains(address); });
    }

    std::optional<Address> real_of(const Address& name) const {
        const Map* longest = nullptr;
        for (const auto& map : site_.maps)
            if (map.virtual_prefix.contains(name) &&
                (!longest || map.virtual_prefix.length() > longest->virtual_prefix.length()))
                longest = &map;
        if (!longest) return std::nullopt;
        return translate(name, longest->virtual_prefix, longest->real_prefix);
    }

    /// Whether hosts may go on under that name which new flows would not get.
    bool stands_for(const Address& name, const Address& source) const {
        return real_of(name) == source || name == *virtual_of(site_.maps, at("192.168.1.1"));
    }

    /// What a flow by link becomes; nullopt: it is none of ours, or nobody is there.
    std::optional<std::pair<Address, Address>> translate_flow(const Address& source, const Address& called) const {
        if (is_peer(called)) {
            if (is_peer(source)) return std::pair(called, source);
            const auto name = virtual_of(site_.maps, source);
            return std::pair(called, name ? *name : *virtual_of(site_.maps, at("192.168.1.1")));
        }
        const auto real = real_of(called);
        if (!real || !is_peer(source)) return std::nullopt;
        return std::pair(*real, source);
    }

private:
    const Site& site_;
};

Site random_site(std::mt19937& random) {
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    Site site;
    site.name = "a";
    site.lan = {"lan0"};
    site.maps = {map("240.1.1.0/24", "192.168.1.0/24")};
    for (unsigned host = 0; host < 4; ++host)
        if (pick(2))
            site.maps.push_back(
                map("240.1.1." + std::to_string(8 + host), "192.168.1." + std::to_string(16 + pick(4))));
    for (std::size_t i = 1; i < site.maps.size(); ++i)
        for (std::size_t j = site.maps.size() - 1; j > i; --j)
            if (site.maps[i].real_prefix == site.maps[j].real_prefix)
                site.maps.erase(site.maps.begin() + static_cast<std::ptrdiff_t>(j));
    if (pick(2)) site.maps.push_back(map("240.1.1.12/30", "10.10.10.0/30"));
    if (pick(2)) site.maps.push_back(map("240.1.10.0/28", "10.10.10.0/28"));
    for (unsigned i = 2; i < 5; ++i)
        if (pick(3) != 0)
            site.peers.push_back(peer("p" + std::to_string(i), "240." + std::to_string(i) + ".0.0/28",
                                      pick(2) ? Link(DevLink{.dev = "ov0"})
                                              : Link(SocksLink{.server = *Endpoint::parse("198.51.100.2:1080")})));
    return site;
}

Address random_address(std::mt19937& random) {
    static const std::vector<std::string> networks{"240.1.1.", "240.1.10.",  "240.2.0.",  "240.3.0.",
                                                   "240.4.0.", "192.168.1.", "10.10.10.", "198.51.100."};
    return at(networks[random() % networks.size()] + std::to_string(random() % 24));
}

} // namespace

TEST_CASE("for random sites and edits, the flows that end are those that the new site would translate otherwise") {
    std::mt19937 random(20261121);
    unsigned kept = 0;
    unsigned ended = 0;
    for (int round = 0; round < 400; ++round) {
        const auto first = random_site(random);
        const auto second = random_site(random);
        const Edit edit(first, second);
        const Model before(first);
        const Model after(second);
        for (int flow = 0; flow < 200; ++flow) {
            const auto source = random_address(random);
            const auto called = random_address(random);
            const auto made = before.translate_flow(source, called);
            // Nobody here sends under our own names.
            if (before.real_of(source) || after.real_of(source)) continue;
            auto c = connection(source.text(), called.text(), made ? made->first.text() : called.text(),
                                made ? made->second.text() : source.text(), made ? Marks().link().value : 0);
            const auto now = after.translate_flow(source, called);
            CAPTURE(source.text());
            CAPTURE(called.text());
            if (made) {
                const bool other = !now || now->first != made->first ||
                                   (now->second != made->second && !after.stands_for(made->second, source));
                CHECK(edit.wrong(c) == other);
                ++(other ? ended : kept);
            } else if (now) {
                // It is ours from now on, and began as somebody else's. What is in transit between peers looks the
                // same.
                CHECK(edit.wrong(c) == (*now != std::pair(called, source)));
            } else if (!before.real_of(called) && !after.real_of(called)) {
                CHECK_FALSE(edit.wrong(c));
            }
        }
    }
    CHECK(kept > 1000);
    CHECK(ended > 1000);
}
