// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/request.h"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "nftctl/kernel/trial.h"
#include "nftctl/plan/live_flow.h"

namespace natctl::control {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<std::string_view, What>, 9> requests{{{"status", What::status},
                                                                     {"watch", What::watch},
                                                                     {"apply", What::apply},
                                                                     {"down", What::down},
                                                                     {"plan", What::plan},
                                                                     {"confirm", What::confirm},
                                                                     {"rollback", What::rollback},
                                                                     {"flows", What::flows},
                                                                     {"whitelist", What::whitelist}}};
/// 24 days: kernel ipsets have no longer lifetimes (IPSET_MAX_TIMEOUT in linux/netfilter/ipset/ip_set.h).
constexpr std::int64_t longest_lifetime = 24 * 24 * 60 * 60;

/// False: it is no list of texts with something in it.
bool read_list(const Json& json, std::vector<std::string>& list) {
    if (!json.is_array() || json.empty()) return false;
    for (const auto& item : json) {
        if (!item.is_string()) return false;
        list.push_back(item.get<std::string>());
    }
    return true;
}

/// False: it is no object of such lists.
bool read_names(const Json& json, std::map<std::string, std::vector<std::string>>& names) {
    if (!json.is_object()) return false;
    for (const auto& [name, addresses] : json.items())
        if (!read_list(addresses, names[name])) return false;
    return true;
}

std::optional<std::string> read_whitelist(const Json& json, Request& request) {
    for (const auto& [key, value] : json.items()) {
        if (key == "add" || key == "del") {
            if (!read_list(value, key == "add" ? request.add : request.del))
                return key + R"( is a list of addresses and prefixes: ["203.0.113.0/24"])";
        } else if (key == "names") {
            if (!read_names(value, request.names))
                return R"(names gives the addresses of names: {"proxy.example.net": ["203.0.113.5"]})";
        } else if (key == "seconds") {
            if (!value.is_number_integer() || value < 1 || value > longest_lifetime)
                return "seconds is a number from 1 to " + std::to_string(longest_lifetime);
            request.lifetime = std::chrono::seconds(value.get<std::int64_t>());
        } else if (key != "do") {
            return "whitelist knows the keys add, names, del and seconds, and not " + key;
        }
    }
    if (!request.add.empty() && !request.del.empty()) return "whitelist takes add or del, not both";
    if (request.add.empty() && (request.lifetime || !request.names.empty())) return "seconds and names go with add";
    return std::nullopt;
}

std::optional<std::string> read_apply(const Json& json, Request& request) {
    for (const auto& [key, value] : json.items()) {
        if (key == "confirm") {
            if (!value.is_number_integer() || value < 1 || value > longest_trial.count())
                return "confirm is a number of seconds from 1 to " + std::to_string(longest_trial.count());
            request.trial = std::chrono::seconds(value.get<std::int64_t>());
        } else if (key == "config") {
            if (!value.is_string() || !value.get_ref<const std::string&>().starts_with('/'))
                return "config is the path of a file, from / on";
            request.config = value.get<std::string>();
        } else if (key != "do") {
            return "apply knows the keys confirm and config, and not " + key;
        }
    }
    return std::nullopt;
}

std::optional<std::string> read_flows(const Json& json, Request& request) {
    for (const auto& [key, value] : json.items()) {
        if (key == "peer" || key == "host") {
            if (!value.is_string()) return key + " is a text";
            (key == "peer" ? request.peer : request.host) = value.get<std::string>();
        } else if (key == "protocol") {
            request.protocol = value.is_string() ? protocol_number(value.get<std::string>()) : std::nullopt;
            if (!request.protocol) return std::string("protocol is tcp, udp, icmp, icmpv6, sctp or a number as text");
        } else if (key == "port") {
            if (!value.is_number_integer() || value < 1 || value > 65535)
                return std::string("port is a number from 1 to 65535");
            request.port = value.get<std::uint16_t>();
        } else if (key == "limit") {
            if (!value.is_number_integer() || value < 1 || value > most_flows)
                return "limit is a number from 1 to " + std::to_string(most_flows);
            request.limit = value.get<std::size_t>();
        } else if (key != "do") {
            return "flows knows the keys peer, host, protocol, port and limit, and not " + key;
        }
    }
    return std::nullopt;
}

} // namespace

std::variant<Request, std::string> parse(std::string_view line) {
    const auto json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return std::string(R"(a request is one line of JSON: {"do":"status"})");
    std::string names;
    for (const auto& [name, what] : requests) names += (names.empty() ? "" : ", ") + std::string(name);
    const auto found = json.find("do");
    const auto* request_named = found != json.end() && found->is_string()
                                    ? std::ranges::find(requests, found->get_ref<const std::string&>(),
                                                        &std::pair<std::string_view, What>::first)
                                    : requests.end();
    if (request_named == requests.end()) return "do is one of: " + names;
    Request request{.what = request_named->second};
    if (request.what == What::whitelist) {
        if (auto mistake = read_whitelist(json, request)) return *mistake;
    } else if (request.what == What::apply) {
        if (auto mistake = read_apply(json, request)) return *mistake;
    } else if (request.what == What::flows) {
        if (auto mistake = read_flows(json, request)) return *mistake;
    } else if (json.size() != 1) {
        return std::string(request_named->first) + " has no keys beside do";
    }
    return request;
}

} // namespace natctl::control
