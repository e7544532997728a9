// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/status_json.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "nftctl/plan/live_flow_json.h"
#include "nftctl/site/uses.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

/// For people: who has more asks `natctl show`.
constexpr std::size_t most_maps = 100;

Json json_of(const std::vector<Prefix>& prefixes) {
    Json list = Json::array();
    for (const auto& prefix : prefixes) list.push_back(prefix.text());
    return list;
}

Json maps_of(const Site& site) {
    Json maps = Json::array();
    for (const auto& map : site.embedding_maps)
        maps.push_back({{"virtual", map.virtual_prefix.text()}, {"real", json_of(map.real_prefixes)}, {"name", ""}});
    for (std::size_t i = 0; i < std::min(site.maps.size(), most_maps); ++i) {
        const auto& map = site.maps[i];
        maps.push_back(
            {{"virtual", map.virtual_prefix.text()}, {"real", {map.real_prefix.text()}}, {"name", map.name}});
    }
    return maps;
}

Json peers_of(const View& view) {
    Json peers = Json::array();
    for (const auto& peer : view.site->peers) {
        Json links = Json::array();
        for (const auto& link : links_of(peer, view))
            links.push_back({{"text", link.text},
                             {"kind", link.kind},
                             {"interface", link.interface},
                             {"usable", link.usable},
                             {"used", link.used},
                             {"held", link.held},
                             {"seconds", link.since ? Json(link.since->count()) : Json(nullptr)},
                             {"cause", link.cause}});
        peers.push_back({{"name", peer.name}, {"virtual", json_of(peer.virtual_prefixes)}, {"links", links}});
    }
    return peers;
}

Json interfaces_of(const View& view) {
    Json interfaces = Json::array();
    for (const auto& name : natctl::interfaces_of(*view.site)) {
        const auto* found = view.facts.find(name);
        const auto traffic = view.traffic.find(name);
        const auto bytes = traffic == view.traffic.end() ? InterfaceTraffic{} : traffic->second;
        interfaces.push_back({{"name", name},
                              {"up", found != nullptr && found->up},
                              {"received", bytes.received},
                              {"sent", bytes.sent}});
    }
    return interfaces;
}

Json json_of(const TunnelReport& tunnel) {
    Json ways = Json::array();
    for (const auto& way : tunnel.ways)
        ways.push_back({{"protocol", way.protocol},
                        {"way", way.way},
                        {"open", way.open},
                        {"ended", way.ended},
                        {"bytes_to_far", way.bytes_to_far},
                        {"bytes_to_client", way.bytes_to_client},
                        {"to_far_per_second", way.to_far_per_second},
                        {"to_client_per_second", way.to_client_per_second}});
    Json proxies = Json::array();
    for (const auto& proxy : tunnel.proxies)
        proxies.push_back(
            {{"server", proxy.server}, {"up", proxy.up}, {"seconds", proxy.seconds}, {"cause", proxy.cause}});
    Json failures = Json::array();
    for (const auto& failure : tunnel.failures)
        failures.push_back({{"way", failure.way}, {"cause", failure.cause}, {"count", failure.count}});
    Json drops = Json::array();
    for (const auto& drop : tunnel.drops) drops.push_back({{"cause", drop.cause}, {"count", drop.count}});
    return {{"ways", ways}, {"proxies", proxies}, {"failures", failures}, {"drops", drops}};
}

Json json_of_site(const View& view) {
    return {{"name", view.site->name},
            {"lan", view.site->lan},
            {"maps", maps_of(*view.site)},
            {"maps_in_all", view.site->maps.size() + view.site->embedding_maps.size()},
            {"peers", peers_of(view)},
            {"interfaces", interfaces_of(view)},
            {"uses_tunnel", uses_tunnel(*view.site)}};
}

/// `at`: seconds, to be compared with those of another reading.
Json json_of(const FlowReading& reading) {
    const auto& foremost = reading.flows.foremost;
    auto listed = natctl::json_of(foremost, reading.wall_time);
    for (std::size_t i = 0; i < foremost.size(); ++i) listed[i]["id"] = foremost[i].connection.id;
    return {{"at", std::chrono::duration<double>(reading.at.time_since_epoch()).count()},
            {"failure", reading.failure},
            {"count", reading.flows.count},
            {"listed", listed}};
}

} // namespace

std::string status_json(const View& view) {
    Json json{{"release", NATCTL_VERSION},
              {"agent", control::json_of(view.state)},
              {"site", view.site ? json_of_site(view) : Json(nullptr)},
              {"flows", view.flows ? json_of(*view.flows) : Json(nullptr)},
              {"trial", view.trial ? Json{{"seconds_left", view.trial->left.count()}} : Json(nullptr)},
              {"tunnel", view.tunnel ? json_of(*view.tunnel) : Json(nullptr)}};
    // What the system says need not be UTF-8.
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace natctl
