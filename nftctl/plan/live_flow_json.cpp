// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/live_flow_json.h"

#include <nlohmann/json.hpp>

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const std::optional<Traffic>& traffic) {
    if (!traffic) return nullptr;
    return {{"packets", traffic->packets}, {"bytes", traffic->bytes}};
}

} // namespace

Json json_of(const LiveFlow& flow, std::chrono::system_clock::time_point now) {
    const auto text_or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
    const auto port_or_null = [](std::uint16_t port) { return port == 0 ? Json(nullptr) : Json(port); };
    const auto age = flow.age(now);
    Json json{{"protocol", protocol_name(flow.connection.protocol)},
              {"began", name_of(flow.began)},
              {"real", flow.real.text()},
              {"virtual", flow.virtual_address ? Json(flow.virtual_address->text()) : Json(nullptr)},
              {"port", port_or_null(flow.port())},
              {"name", text_or_null(flow.name)},
              {"far", flow.far.text()},
              {"far_port", port_or_null(flow.far_port())},
              {"peer", text_or_null(flow.peer)},
              {"path", name_of(flow.path)},
              {"state", text_or_null(flow.tcp_state())},
              {"sent", json_of(flow.sent())},
              {"received", json_of(flow.received())},
              {"age_seconds", age ? Json(age->count()) : Json(nullptr)},
              {"expires_seconds", flow.connection.timeout}};
    if (flow.connection.original.icmp) json["icmp_id"] = flow.connection.original.icmp->id;
    return json;
}

Json json_of(std::span<const LiveFlow> flows, std::chrono::system_clock::time_point now) {
    Json list = Json::array();
    for (const auto& flow : flows) list.push_back(json_of(flow, now));
    return list;
}

} // namespace natctl
