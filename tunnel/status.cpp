// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/status.h"

#include <cmath>

#include <nlohmann/json.hpp>

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const TrafficByWay& ways) {
    Json list = Json::array();
    for (const auto& [way, traffic] : ways)
        list.push_back({{"way", way},
                        {"open", traffic.open},
                        {"ended", traffic.ended},
                        {"bytes_to_far", traffic.bytes_to_far},
                        {"bytes_to_client", traffic.bytes_to_client},
                        {"bytes_to_far_per_second", traffic.to_far_per_second},
                        {"bytes_to_client_per_second", traffic.to_client_per_second}});
    return list;
}

/// A thread that did not answer in time is missing from its sample: less than before counts as nothing.
std::uint64_t rate(std::uint64_t now, std::uint64_t before, double seconds) {
    if (now <= before || seconds <= 0) return 0;
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(now - before) / seconds));
}

void add_rates(TrafficByWay& now, const TrafficByWay& before, double seconds) {
    for (auto& [way, traffic] : now) {
        const auto former = before.find(way);
        const WayTraffic none;
        const WayTraffic& then = former == before.end() ? none : former->second;
        traffic.to_far_per_second = rate(traffic.bytes_to_far, then.bytes_to_far, seconds);
        traffic.to_client_per_second = rate(traffic.bytes_to_client, then.bytes_to_client, seconds);
    }
}

} // namespace

void add(TrafficByWay& sum, const TrafficByWay& more) {
    for (const auto& [way, traffic] : more) sum[way] += traffic;
}

void add_rates(Status& now, const Status& before, double seconds) {
    add_rates(now.tcp, before.tcp, seconds);
    add_rates(now.udp, before.udp, seconds);
}

std::string to_json(const Status& status) {
    Json proxies = Json::array();
    for (const auto& proxy : status.proxies)
        proxies.push_back({{"socks5", proxy.server.text()},
                           {"up", proxy.up},
                           {"seconds", proxy.since.count()},
                           {"cause", proxy.up ? Json(nullptr) : Json(proxy.cause)}});
    Json failures = Json::array();
    for (const auto& failure : status.failures)
        failures.push_back({{"way", failure.way}, {"cause", failure.cause}, {"count", failure.count}});
    Json drops = Json::array();
    for (const auto& [cause, count] : status.drops) drops.push_back({{"cause", cause}, {"count", count}});
    const LimitStatus& limits = status.limits;
    const Json all{{"version", 1},
                   {"tcp", json_of(status.tcp)},
                   {"udp", json_of(status.udp)},
                   {"proxies", proxies},
                   {"failures", failures},
                   {"drops", drops},
                   {"limits",
                    {{"flows", limits.flows},
                     {"associations", limits.associations},
                     {"pipes", limits.pipes},
                     {"pipe_bytes", limits.pipe_bytes},
                     {"waiting_bytes", limits.waiting_bytes},
                     {"warm_connections", limits.warm_connections},
                     {"descriptors", limits.descriptors}}}};
    // What proxies and the system say need not be UTF-8.
    return all.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace natctl
