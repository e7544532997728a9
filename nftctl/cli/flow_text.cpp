// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/flow_text.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nftctl/base/address.h"

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;
using std::chrono::seconds;

/// "-" for null.
std::string word(const Json& value) { return value.is_string() ? value.get<std::string>() : "-"; }

std::string with_port(const Json& address, const Json& port) {
    auto text = word(address);
    const auto parsed = Address::parse(text);
    if (!parsed || !port.is_number()) return text;
    return Endpoint{*parsed, port.get<std::uint16_t>()}.text();
}

std::string bytes_text(const Json& traffic) {
    return traffic.is_object() ? size_text(traffic.at("bytes").get<std::uint64_t>()) : "-";
}

using Row = std::array<std::string, 11>;

Row row_of(const Json& flow) {
    const auto& age = flow.at("age_seconds");
    const auto& state = flow.at("state");
    const bool called = flow.at("began") == "there" || flow.at("began") == "inside";
    return {word(flow.at("protocol")),
            with_port(flow.at("real"), flow.at("port")),
            word(flow.at("virtual")),
            word(flow.at("name")),
            called ? "<-" : "->",
            with_port(flow.at("far"), flow.at("far_port")),
            word(flow.at("peer")),
            word(flow.at("path")),
            bytes_text(flow.at("sent")) + " / " + bytes_text(flow.at("received")),
            age.is_number() ? age_text(seconds(age.get<std::int64_t>())) : "-",
            state.is_string() ? state.get<std::string>() : ""};
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

std::string flow_table(const Json& list) {
    if (list.empty()) return "no flows\n";
    std::vector<Row> rows{
        {"PROTO", "HERE", "KNOWN AS", "NAME", "", "THERE", "PEER", "PATH", "SENT / RECEIVED", "AGE", "STATE"}};
    for (const auto& flow : list) rows.push_back(row_of(flow));
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

std::string flow_json(const Json& list, bool indented) {
    return list.dump(indented ? 2 : -1, ' ', false, Json::error_handler_t::replace);
}

} // namespace natctl
