// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/status.h"

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
                        {"bytes_to_client", traffic.bytes_to_client}});
    return list;
}

} // namespace

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
    const Json all{{"version", 1},
                   {"tcp", json_of(status.tcp)},
                   {"udp", json_of(status.udp)},
                   {"proxies", proxies},
                   {"failures", failures}};
    // What proxies and the system say need not be UTF-8.
    return all.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace natctl
