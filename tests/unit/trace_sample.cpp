// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/unit/trace_sample.h"

#include <algorithm>
#include <utility>

#include "nftctl/plan/compile.h"

namespace natctl::test {

Address at(const std::string& text) { return *Address::parse(text); }

Map map(const std::string& virt, const std::string& real) {
    return {*Prefix::parse(virt), *Prefix::parse(real), {}, {}};
}

namespace {

Peer peer(const std::string& name, std::vector<std::string> virtuals, Link link) {
    Peer result{.name = name, .links = {std::move(link)}};
    for (const auto& text : virtuals) result.virtual_prefixes.push_back(*Prefix::parse(text));
    return result;
}

Site site_a() {
    Site site;
    site.name = "a";
    site.lan = {"lan0", "lan1"};
    site.maps = {map("240.1.1.0/24", "192.168.1.0/24"), map("240.1.10.0/24", "10.10.10.0/24"),
                 map("240.1.1.200", "10.10.10.7"), map("fd01:1::/64", "fd00:a::/64")};
    site.peers = {
        peer("b", {"240.2.2.0/24", "240.2.10.0/24", "fd01:2::/64"},
             DevLink{.dev = "ov0", .via4 = Address::parse("172.31.0.2"), .via6 = Address::parse("fd00:ff::2")}),
        peer("c", {"240.3.3.0/24"}, SocksLink{.server = *Endpoint::parse("198.51.100.3:1080")}),
        peer("d", {"240.4.4.0/24"}, DevLink{.dev = "wg0"}),
    };
    return site;
}

} // namespace

Facts router() {
    const auto with = [](const char* name, std::uint32_t index, bool up,
                         std::vector<std::pair<const char*, unsigned>> addresses) {
        Interface interface {
            .name = name, .index = index, .up = up, .addresses = {}
        };
        for (const auto& [text, length] : addresses) interface.addresses.push_back({at(text), length});
        return interface;
    };
    Facts facts;
    facts.forwarding4 = facts.forwarding6 = true;
    facts.interfaces = {
        with("lo", 1, true, {{"127.0.0.1", 8}, {"::1", 128}}),
        with("lan0", 2, true, {{"192.168.1.1", 24}, {"fd00:a::1", 64}}),
        with("lan1", 3, true, {{"10.10.10.10", 24}}),
        with("wan0", 4, true, {{"198.51.100.1", 24}}),
        with("ov0", 5, true, {{"172.31.0.1", 24}, {"fd00:ff::1", 64}}),
        with("wg0", 6, false, {}),
    };
    return facts;
}

Surroundings around(const Facts& facts, const Site* site, bool listens) {
    return {.facts = facts,
            .other_route = [facts](const Address& to) -> std::optional<Hop> {
                if (auto hop = connected_route(facts, to)) return hop;
                if (to.family() == Family::ipv6) return std::nullopt;
                return Hop{.dev = "wan0", .via = at("198.51.100.254"), .source = at("198.51.100.1")};
            },
            .listens = [listens](const Endpoint&, Protocol) { return listens; },
            .site = site};
}

TraceLab::TraceLab() : site(site_a()), facts(router()) {}

Trace TraceLab::ask(const std::string& source, const std::string& destination, Protocol protocol,
                    std::optional<std::string> in) const {
    const auto plan = compile(site, facts);
    const auto surroundings = around(facts, &site, listens);
    Flow flow{.destination = at(destination), .protocol = protocol, .port = 80};
    if (source != "router") {
        flow.source = at(source);
        flow.in = in ? *in : arrival(plan, surroundings, at(source)).value_or("");
    }
    return trace(plan, surroundings, flow);
}

bool tells(const std::vector<Step>& steps, const std::string& text) {
    return std::ranges::any_of(steps, [&](const Step& step) { return step.text.find(text) != std::string::npos; });
}

} // namespace natctl::test
