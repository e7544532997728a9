// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/tunnel_report.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace natctl {

namespace {

using Json = nlohmann::ordered_json;

std::uint64_t number(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string word(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// read(item) for each object of the list under that key.
template <class Read>
void each(const Json& object, const char* key, Read read) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_array()) return;
    for (const auto& item : *found)
        if (item.is_object()) read(item);
}

} // namespace

const TunnelReport::Proxy* TunnelReport::find_proxy(std::string_view server) const {
    const auto found = std::ranges::find(proxies, server, &Proxy::server);
    return found == proxies.end() ? nullptr : &*found;
}

std::optional<TunnelReport> read_tunnel_report(std::string_view text) {
    const auto json = Json::parse(text, nullptr, false);
    if (!json.is_object() || number(json, "version") != 1) return std::nullopt;
    TunnelReport report;
    for (const char* protocol : {"tcp", "udp"})
        each(json, protocol, [&](const Json& item) {
            report.ways.push_back({.protocol = protocol,
                                   .way = word(item, "way"),
                                   .open = number(item, "open"),
                                   .ended = number(item, "ended"),
                                   .bytes_to_far = number(item, "bytes_to_far"),
                                   .bytes_to_client = number(item, "bytes_to_client"),
                                   .to_far_per_second = number(item, "bytes_to_far_per_second"),
                                   .to_client_per_second = number(item, "bytes_to_client_per_second")});
        });
    each(json, "proxies", [&](const Json& item) {
        const auto up = item.find("up");
        report.proxies.push_back(
            {word(item, "socks5"), up != item.end() && *up == true, number(item, "seconds"), word(item, "cause")});
    });
    each(json, "failures", [&](const Json& item) {
        report.failures.push_back({word(item, "way"), word(item, "cause"), number(item, "count")});
    });
    each(json, "drops", [&](const Json& item) {
        report.drops.push_back({word(item, "cause"), number(item, "count")});
    });
    if (const auto limits = json.find("limits"); limits != json.end() && limits->is_object())
        for (const auto& [name, value] : limits->items())
            if (value.is_number_unsigned()) report.limits.emplace_back(name, value.get<std::uint64_t>());
    return report;
}

} // namespace natctl
