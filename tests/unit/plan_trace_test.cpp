// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <random>

#include <doctest/doctest.h>

#include "nftctl/plan/addressing.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/trace_packet.h"
#include "tests/unit/trace_sample.h"

using namespace natctl;
using namespace natctl::test;

namespace {

struct Row {
    const char* source;
    const char* destination;
    Protocol protocol;
    Fate fate;
    /// Of what leaves or is delivered; nullptr: not asked.
    const char* as;
    const char* to;
    const char* out;
    const char* says;
};

// One line a flow: what the labs see happen to real packets.
const Row rows[] = {
    {"192.168.1.20", "240.2.2.20", tcp, Fate::forwarded, "240.1.1.20", "240.2.2.20", "ov0", "belongs to peer b"},
    {"192.168.1.20", "240.2.2.20", icmp, Fate::forwarded, "240.1.1.20", "240.2.2.20", "ov0", "gateway 172.31.0.2"},
    {"10.10.10.5", "240.2.10.5", udp, Fate::forwarded, "240.1.10.5", "240.2.10.5", "ov0", ""},
    {"10.10.10.7", "240.2.2.20", tcp, Fate::forwarded, "240.1.1.200", "240.2.2.20", "ov0", ""},
    {"192.168.1.200", "240.2.2.20", tcp, Fate::forwarded, "240.1.1.1", "240.2.2.20", "ov0", ""},
    {"fd00:a::20", "fd01:2::20", tcp, Fate::forwarded, "fd01:1::20", "fd01:2::20", "ov0", ""},
    {"240.2.2.20", "240.1.1.20", tcp, Fate::forwarded, "240.2.2.20", "192.168.1.20", "lan0", ""},
    {"240.2.2.20", "240.1.1.200", tcp, Fate::forwarded, "240.2.2.20", "10.10.10.7", "lan1", ""},
    {"240.2.2.20", "240.1.10.7", tcp, Fate::forwarded, "240.2.2.20", "10.10.10.7", "lan1", ""},
    {"fd01:2::20", "fd01:1::20", icmp, Fate::forwarded, "fd01:2::20", "fd00:a::20", "lan0", ""},
    {"240.2.2.20", "240.1.1.1", tcp, Fate::delivered, "240.2.2.20", "192.168.1.1", "", "is for this router"},
    {"192.168.1.20", "240.1.10.5", tcp, Fate::forwarded, "240.1.1.20", "10.10.10.5", "lan1", ""},
    {"192.168.1.20", "240.1.1.21", tcp, Fate::forwarded, "240.1.1.20", "192.168.1.21", "lan0", ""},
    {"192.168.1.20", "240.1.1.1", tcp, Fate::delivered, "192.168.1.20", "192.168.1.1", "", ""},
    {"router", "240.2.2.20", tcp, Fate::forwarded, "240.1.1.1", "240.2.2.20", "ov0", "this router sends"},
    {"router", "240.1.10.5", tcp, Fate::forwarded, "10.10.10.10", "10.10.10.5", "lan1", ""},
    {"router", "fd01:2::20", udp, Fate::forwarded, "fd01:1::1", "fd01:2::20", "ov0", ""},
    {"192.168.1.20", "240.3.3.20", tcp, Fate::tunnel, "192.168.1.20", "240.3.3.20", "", "the tunnel takes it"},
    {"router", "240.3.3.20", tcp, Fate::tunnel, "192.168.1.1", "240.3.3.20", "", ""},
    {"192.168.1.20", "240.3.3.20", icmp, Fate::refused, nullptr, nullptr, nullptr, "does not carry ICMP"},
    {"192.168.1.20", "240.4.4.20", tcp, Fate::refused, nullptr, nullptr, nullptr, "peer d has no link that is up"},
    {"192.168.1.20", "240.4.4.20", udp, Fate::refused, nullptr, nullptr, nullptr, "ICMP no route"},
    {"router", "240.4.4.20", tcp, Fate::refused, nullptr, nullptr, nullptr, "peer d has no link that is up"},
    {"192.168.1.20", "198.51.100.66", tcp, Fate::forwarded, "192.168.1.20", "198.51.100.66", "wan0", ""},
    {"240.2.2.20", "192.168.1.20", tcp, Fate::dropped, nullptr, nullptr, nullptr, "not to be had from a link"},
    {"240.2.2.20", "10.10.10.5", udp, Fate::dropped, nullptr, nullptr, nullptr, "not to be had from a link"},
};

} // namespace

TEST_CASE("flows of all kinds, by what the compiler makes of a site") {
    const TraceLab lab;
    for (const auto& row : rows) {
        const auto found = lab.ask(row.source, row.destination, row.protocol);
        CAPTURE(row.source);
        CAPTURE(row.destination);
        CAPTURE(found.reason);
        CHECK(name_of(found.fate) == std::string(name_of(row.fate)));
        CHECK(found.doubts.empty());
        CHECK(tells(found.steps, row.says));
        if (!row.as) {
            CHECK(!found.reason.empty());
            continue;
        }
        CHECK(found.source.text() == row.as);
        CHECK(found.destination.text() == row.to);
        CHECK(found.out == row.out);
        CHECK(found.reason.empty());
    }
}

TEST_CASE("what is forged is dropped, and the reason says what is wrong with it") {
    const TraceLab lab;
    const auto dropped = [&](const char* source, const char* destination, const char* in, const char* says) {
        const auto found = lab.ask(source, destination, tcp, in);
        CAPTURE(source);
        CAPTURE(in);
        CAPTURE(found.reason);
        CHECK(found.fate == Fate::dropped);
        CHECK(found.reason.find(says) != std::string::npos);
    };
    dropped("240.1.1.20", "240.2.2.20", "lan0", "forged");
    dropped("240.2.2.20", "192.168.1.20", "lan0", "do not come by lan0");
    dropped("240.2.2.20", "240.1.1.20", "wan0", "do not come by wan0");
    dropped("198.51.100.66", "240.1.1.20", "wan0", "neither a LAN nor a link");
    dropped("198.51.100.66", "240.2.2.20", "wan0", "neither a LAN nor a link");
    dropped("192.168.1.20", "240.1.1.20", "ov0", "only virtual addresses of peers");
    dropped("172.31.0.2", "240.1.1.20", "ov0", "172.31.0.2 is none");
}

TEST_CASE("the answer goes back to the sender from the address that it asked") {
    const TraceLab lab;
    for (const auto& row : rows) {
        const auto found = lab.ask(row.source, row.destination, row.protocol);
        if (!found.passes() || found.fate == Fate::tunnel || found.answer.empty()) continue;
        CAPTURE(row.source);
        CAPTURE(row.destination);
        CHECK(found.answer_source == at(row.destination));
        if (row.source != std::string("router")) CHECK(found.answer_destination == at(row.source));
    }
    CHECK(tells(lab.ask("240.2.2.20", "240.1.1.20").answer, "source 192.168.1.20 becomes 240.1.1.20"));
}

TEST_CASE("what the tunnel takes, it is said where it goes") {
    const TraceLab lab;
    CHECK(tells(lab.ask("192.168.1.20", "240.3.3.20").steps, "through the proxy 198.51.100.3:1080 of peer c"));
    CHECK(tells(lab.ask("192.168.1.20", "240.3.3.20", udp).steps, "the tunnel takes it"));
}

TEST_CASE("a /96 leads to the tunnel, which connects to the embedded address") {
    TraceLab lab;
    lab.site.embedding_maps = {{.virtual_prefix = *Prefix::parse("64:ff9b:1111::/96"),
                                .real_prefixes = {*Prefix::parse("192.168.1.0/24"), *Prefix::parse("10.10.10.0/24")}}};
    lab.site.peers[0].virtual_prefixes.push_back(*Prefix::parse("64:ff9b:2222::/96"));
    const char* own = "64:ff9b:1111::10.10.10.5";
    for (const auto protocol : {tcp, udp, icmp})
        for (const char* source : {"fd01:2::20", "fd00:a::20", "router"}) {
            const auto found = lab.ask(source, own, protocol);
            CAPTURE(source);
            CAPTURE(name_of(protocol));
            CAPTURE(found.reason);
            CHECK(found.fate == Fate::tunnel);
            CHECK(tells(found.steps, protocol == icmp ? "it pings 10.10.10.5" : "it connects to 10.10.10.5"));
        }
    CHECK(tells(lab.ask("fd00:a::20", "64:ff9b:1111::192.168.2.1", icmp).steps, "it stays silent: the map does not"));
    CHECK(!lab.ask("fd00:ff::66", own, tcp, "ov0").passes());
    CHECK(!lab.ask("2001:db8::1", own, tcp, "wan0").passes());
    const auto outward = lab.ask("fd00:a::20", "64:ff9b:2222::192.168.1.20");
    CHECK(outward.fate == Fate::forwarded);
    CHECK(outward.source == at("fd01:1::20"));
    lab.listens = false;
    CHECK(lab.ask("fd01:2::20", own).fate == Fate::refused);
    const auto unheard = lab.ask("fd01:2::20", own, icmp);
    CHECK(unheard.fate == Fate::dropped);
    CHECK(unheard.reason.find("systemctl start natctl-tunnel") != std::string::npos);
}

TEST_CASE("what [intercept] takes goes to the tunnel, all else its way") {
    TraceLab lab;
    lab.site.intercept = Intercept{.from = {"lan0"},
                                   .to = {*Prefix::parse("203.0.113.0/24")},
                                   .proxy = {.server = *Endpoint::parse("127.0.0.1:1081")}};
    lab.site.white_list.prefixes = {*Prefix::parse("203.0.113.7/32")};
    for (const auto by : {InterceptBy::tproxy, InterceptBy::redirect}) {
        lab.site.intercept->by = by;
        lab.site.intercept->udp = by == InterceptBy::tproxy;
        const auto taken = lab.ask("192.168.1.20", "203.0.113.9");
        CAPTURE(taken.reason);
        CHECK(taken.fate == Fate::tunnel);
        CHECK(taken.doubts.empty());
        CHECK(tells(taken.steps, "through the proxy 127.0.0.1:1081 of [intercept]"));
        CHECK(lab.ask("192.168.1.20", "203.0.113.7").fate == Fate::forwarded);
        CHECK(lab.ask("192.168.1.20", "198.51.100.66").fate == Fate::forwarded);
        CHECK(lab.ask("10.10.10.5", "203.0.113.9").fate == Fate::forwarded);
        CHECK(lab.ask("192.168.1.20", "240.2.2.20").out == "ov0");
        CHECK(lab.ask("192.168.1.20", "240.3.3.20").fate == Fate::tunnel);
        CHECK((lab.ask("192.168.1.20", "203.0.113.9", udp).fate == Fate::tunnel) == (by == InterceptBy::tproxy));
        CHECK(lab.ask("router", "203.0.113.9").fate == Fate::forwarded);
        lab.listens = false;
        const auto refused = lab.ask("192.168.1.20", "203.0.113.9");
        CHECK(refused.fate == Fate::refused);
        CHECK(refused.sender_sees == "TCP reset");
        CHECK(refused.reason.find("start it: systemctl start natctl-tunnel") != std::string::npos);
        lab.listens = true;
    }
}

TEST_CASE("what is redirected reaches a listener of this machine, as translated") {
    using namespace nft;
    constexpr std::uint16_t listener = 12346;
    const Statement tcp_only = Match{Field::l4proto, {}, Op::eq, 6u};
    const Statement to_listener = Match{Field::th_dport, {}, Op::eq, std::uint32_t{listener}};
    const Statement untranslated = Match{Field::ct_status, connection_dnat, Op::ne, connection_dnat};
    const Statement unicast = Match{Field::fib_daddr_type, {}, Op::eq, 1u};
    Plan plan;
    plan.table = Table{.sets = {},
                       .chains = {{"redirect",
                                   Hook{ChainType::nat, HookPoint::prerouting, -110},
                                   {{{tcp_only, unicast, Redirect{listener}}}}},
                                  {"guard_listener",
                                   Hook{ChainType::filter, HookPoint::input, 0},
                                   {{{tcp_only, to_listener, untranslated, Reject{RejectKind::tcp_reset}}}}}}};
    const auto facts = router();
    const auto ask = [&](const char* destination, std::uint16_t port) {
        return trace(plan, around(facts, nullptr),
                     {.source = at("192.168.1.20"), .destination = at(destination), .port = port, .in = "lan0"});
    };
    const auto found = ask("198.51.100.66", 443);
    CHECK(found.fate == Fate::tunnel);
    CHECK(tells(found.steps, "destination 198.51.100.66 becomes 192.168.1.1"));
    CHECK(tells(found.steps, "the tunnel takes it at 192.168.1.1:12346"));
    // Not to itself: local addresses are not redirected, and the listener is guarded.
    CHECK(ask("192.168.1.1", listener).fate == Fate::refused);
    CHECK(ask("192.168.1.1", 22).fate == Fate::delivered);
    CHECK(ask("192.168.1.255", 443).fate != Fate::tunnel);
    CHECK(ask("224.0.0.1", 443).fate != Fate::tunnel);
}

TEST_CASE("each step names the rules behind it") {
    const auto found = TraceLab().ask("192.168.1.20", "240.2.2.20");
    const auto step = std::ranges::find_if(
        found.steps, [](const Step& item) { return item.text == "source 192.168.1.20 becomes 240.1.1.20"; });
    REQUIRE(step != found.steps.end());
    REQUIRE(!step->rules.empty());
    CHECK(step->rules.back() == "to_peer4: snat ip prefix to ip saddr map @snat4");
}

TEST_CASE("the translation that is told is the one of the maps, for any address") {
    std::mt19937 random(7);
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    for (int round = 0; round < 20; ++round) {
        TraceLab lab;
        for (unsigned i = 0, hosts = pick(6); i < hosts; ++i)
            lab.site.maps.push_back(
                map("240.1." + std::string(pick(2) ? "1." : "10.") + std::to_string(20 * i + pick(19)),
                    "192.168.1." + std::to_string(30 * i + pick(29))));
        if (pick(2)) lab.site.maps.push_back(map("240.1.1.64/26", "10.10.10.128/26"));
        for (int flow = 0; flow < 20; ++flow) {
            const auto last = std::to_string(2 + pick(7) + 30 * pick(8));
            const auto virt = "240.1." + std::string(pick(2) ? "1." : "10.") + last;
            const auto inward = lab.ask("240.2.2.20", virt);
            const auto real = real_of(lab.site.maps, at(virt));
            CAPTURE(virt);
            REQUIRE(real.has_value());
            CHECK(inward.passes());
            CHECK(inward.destination == *real);
            CHECK(inward.answer_source == at(virt));

            const auto sender = (pick(2) ? "192.168.1." : "10.10.10.") + last;
            const auto outward = lab.ask(sender, "240.2.2.20");
            const auto name = virtual_of(lab.site.maps, at(sender));
            CAPTURE(sender);
            CHECK(outward.passes());
            CHECK(outward.source ==
                  name.value_or(*router_virtual(lab.site, MapParts(lab.site), lab.facts, Family::ipv4)));
            CHECK(outward.answer_destination == at(sender));
        }
    }
}

TEST_CASE("a sender that is called by a virtual name of ours sends as itself") {
    TraceLab lab;
    lab.site.embedding_maps = {{*Prefix::parse("64:ff9b:1111::/96"), {*Prefix::parse("192.168.1.0/24")}, {}}};
    lab.site.maps = {map("240.1.1.0/24", "192.168.1.0/24"), map("240.1.1.200/32", "10.10.10.7/32"),
                     map("fd01:1::/64", "fd00:a::/64")};
    const auto plan = compile(lab.site, lab.facts);
    CHECK(sent_as(plan, at("240.1.1.20")) == at("192.168.1.20"));
    CHECK(sent_as(plan, at("240.1.1.200")) == at("10.10.10.7"));
    CHECK(sent_as(plan, at("fd01:1::20")) == at("fd00:a::20"));
    CHECK(sent_as(plan, at("64:ff9b:1111::192.168.1.20")) == at("192.168.1.20"));
    for (const char* other : {"192.168.1.20", "240.2.2.20", "198.51.100.66", "fd01:2::20"})
        CHECK(sent_as(plan, at(other)) == at(other));
    CHECK(sent_as(Plan{}, at("240.1.1.20")) == at("240.1.1.20"));

    // What somebody took out of the kernel nobody has any more.
    auto broken = plan;
    for (auto& set : broken.table->sets)
        if (set.spec.name == "dnat4") set.elements = {};
    CHECK(!sent_as(broken, at("240.1.1.20")));
    CHECK(sent_as(broken, at("240.1.1.200")) == at("10.10.10.7"));
}
