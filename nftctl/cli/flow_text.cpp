// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/flow_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/plan/live_flow_json.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;
using std::chrono::seconds;

std::string with_port(const Address& address, std::uint16_t port) {
    return port == 0 ? address.text() : Endpoint{address, port}.text();
}

std::string bytes_text(const std::optional<Traffic>& traffic) { return traffic ? size_text(traffic->bytes) : "-"; }

using Row = std::array<std::string, 11>;

Row row_of(const LiveFlow& flow, WallTime now) {
    const auto age = flow.age(now);
    const bool called = flow.began == Began::there || flow.began == Began::inside;
    return {protocol_name(flow.connection.protocol),
            with_port(flow.real, flow.port()),
            flow.virtual_address ? flow.virtual_address->text() : "-",
            flow.name.empty() ? "-" : flow.name,
            called ? "<-" : "->",
            with_port(flow.far, flow.far_port()),
            flow.peer.empty() ? "-" : flow.peer,
            name_of(flow.path),
            bytes_text(flow.sent()) + " / " + bytes_text(flow.received()),
            age ? age_text(*age) : "-",
            flow.tcp_state()};
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
