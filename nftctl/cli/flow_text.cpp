// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/flow_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;
using std::chrono::seconds;

std::optional<seconds> age_of(const Connection& connection, WallTime now) {
    if (!connection.began) return std::nullopt;
    const auto began = std::chrono::nanoseconds(*connection.began);
    return std::max(seconds(0), std::chrono::duration_cast<seconds>(now.time_since_epoch() - began));
}

std::string with_port(const Address& address, std::uint16_t port) {
    return port == 0 ? address.text() : Endpoint{address, port}.text();
}

std::string state_of(const Connection& connection) {
    return connection.tcp_state ? tcp_state_name(*connection.tcp_state) : "";
}

/// What this end did and what came to it: the tuple's directions are those of who began.
std::optional<Traffic> out_of(const LiveFlow& flow) {
    const bool called = flow.began == Began::there || flow.began == Began::inside;
    return called ? flow.connection.received : flow.connection.sent;
}

std::optional<Traffic> into(const LiveFlow& flow) {
    const bool called = flow.began == Began::there || flow.began == Began::inside;
    return called ? flow.connection.sent : flow.connection.received;
}

std::string bytes_text(const std::optional<Traffic>& traffic) { return traffic ? size_text(traffic->bytes) : "-"; }

using Row = std::array<std::string, 11>;

Row row_of(const LiveFlow& flow, WallTime now) {
    const auto age = age_of(flow.connection, now);
    const bool called = flow.began == Began::there || flow.began == Began::inside;
    return {protocol_name(flow.connection.protocol),
            with_port(flow.real, flow.port()),
            flow.virtual_address ? flow.virtual_address->text() : "-",
            flow.name.empty() ? "-" : flow.name,
            called ? "<-" : "->",
            with_port(flow.far, flow.far_port()),
            flow.peer.empty() ? "-" : flow.peer,
            name_of(flow.path),
            bytes_text(out_of(flow)) + " / " + bytes_text(into(flow)),
            age ? age_text(*age) : "-",
            state_of(flow.connection)};
}

Json json_of(const std::optional<Traffic>& traffic) {
    if (!traffic) return nullptr;
    return {{"packets", traffic->packets}, {"bytes", traffic->bytes}};
}

Json json_of(const LiveFlow& flow, WallTime now) {
    const auto text_or_null = [](const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); };
    const auto port_or_null = [](std::uint16_t port) { return port == 0 ? Json(nullptr) : Json(port); };
    const auto age = age_of(flow.connection, now);
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
              {"state", text_or_null(state_of(flow.connection))},
              {"sent", json_of(out_of(flow))},
              {"received", json_of(into(flow))},
              {"age_seconds", age ? Json(age->count()) : Json(nullptr)},
              {"expires_seconds", flow.connection.timeout}};
    if (flow.connection.original.icmp) json["icmp_id"] = flow.connection.original.icmp->id;
    return json;
}

} // namespace

std::string size_text(std::uint64_t bytes) {
    constexpr std::array units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) return std::to_string(bytes) + " B";
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    // 999.6 would be printed as 1000.
    while (value >= 999.5 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    return fmt::format("{:.{}f} {}", value, value < 9.95 ? 1 : 0, units[unit]);
}

std::string age_text(seconds age) {
    const auto count = age.count();
    if (count < 120) return fmt::format("{} s", count);
    if (count < 120 * 60) return fmt::format("{} min", count / 60);
    if (count < 48 * 3600) return fmt::format("{} h", count / 3600);
    return fmt::format("{} d", count / 86400);
}

std::string flow_table(const std::vector<LiveFlow>& flows, WallTime now) {
    if (flows.empty()) return "no flows\n";
    std::vector<Row> rows{
        {"PROTO", "HERE", "KNOWN AS", "NAME", "", "THERE", "PEER", "PATH", "SENT / RECEIVED", "AGE", "STATE"}};
    for (const auto& flow : flows) rows.push_back(row_of(flow, now));
    std::array<std::size_t, std::tuple_size_v<Row>> widths{};
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) line += fmt::format("{:<{}}  ", row[i], widths[i]);
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

std::string flow_json(const std::vector<LiveFlow>& flows, WallTime now, bool indented) {
    Json list = Json::array();
    for (const auto& flow : flows) list.push_back(json_of(flow, now));
    return list.dump(indented ? 2 : -1, ' ', false, Json::error_handler_t::replace);
}

} // namespace natctl
