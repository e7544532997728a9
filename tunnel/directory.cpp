// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/directory.h"

#include <algorithm>
#include <functional>

#include "tunnel/special_addresses.h"

namespace natctl {

namespace {

/// Lower case, without the final dot of a complete name.
std::string normal(std::string_view name) {
    if (name.ends_with('.')) name.remove_suffix(1);
    std::string result(name);
    std::ranges::transform(result, result.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return result;
}

/// What stands before and after the last dot; nullopt when either is empty.
std::optional<std::pair<std::string, std::string>> split(const std::string& name) {
    const auto dot = name.rfind('.');
    if (dot == std::string::npos || dot == 0 || dot + 1 == name.size()) return std::nullopt;
    return std::pair(name.substr(0, dot), name.substr(dot + 1));
}

bool is_one_to_one(const Map& map) {
    return map.real_prefix.family() == map.virtual_prefix.family() &&
           map.real_prefix.length() == map.virtual_prefix.length();
}

} // namespace

Directory::Directory(const Site& site) : routes_(site.peers), site_(normal(site.name)) {
    if (site.intercept) internet_ = site.peers.size();
    for (const Map& map : site.maps) {
        own_prefixes_.push_back(map.virtual_prefix);
        if (!map.name.empty()) hosts_.emplace(normal(map.name), map.virtual_prefix.network());
        if (is_one_to_one(map)) real_to_virtual_.emplace_back(map.real_prefix, map.virtual_prefix);
    }
    std::ranges::stable_sort(real_to_virtual_, std::greater{}, [](const auto& map) { return map.first.length(); });
    std::vector<Prefix> own = own_prefixes_;
    for (const EmbeddingMap& map : site.embedding_maps) {
        own.push_back(map.virtual_prefix);
        carriers_.emplace_back(map);
    }
    own_ = AddressSet(own);
    for (std::size_t index = 0; index < site.peers.size(); ++index)
        peers_.emplace(normal(site.peers[index].name), index);

    for (const char* loopback : {"127.0.0.1", "::1"}) listeners_.insert({*Address::parse(loopback), site.tunnel.port});
    listeners_.insert({*Address::parse("::1"), site.tunnel.embedded_port});
    for (const ProxyListener& listener : site.tunnel.listeners) {
        const Address& address = listener.listen.address;
        listeners_.insert(listener.listen);
        if (address.is_unspecified()) listener_ports_.insert(listener.listen.port);
        for (const Map& map : site.maps)
            if (is_one_to_one(map) && map.real_prefix.contains(address))
                listeners_.insert({translate(address, map.real_prefix, map.virtual_prefix), listener.listen.port});
    }
}

std::optional<Address> Directory::virtual_of(const Address& real) const {
    for (const auto& [from, to] : real_to_virtual_) {
        if (!from.contains(real)) continue;
        const Address name = translate(real, from, to);
        const auto taken = [&, &own = to](const auto& map) {
            return map.second.length() > own.length() && map.second.contains(name);
        };
        if (std::ranges::none_of(real_to_virtual_, taken)) return name;
    }
    return std::nullopt;
}

std::optional<std::size_t> Directory::route_of(const Address& address) const {
    if (const auto peer = peer_of(address)) return peer;
    return is_own(address) || is_special(address) ? std::nullopt : internet_;
}

std::optional<Address> Directory::own_host(std::string_view name) const {
    const std::string wanted = normal(name);
    if (const auto host = hosts_.find(wanted); host != hosts_.end()) return host->second;
    const auto parts = split(wanted);
    if (!parts || parts->second != site_) return std::nullopt;
    const auto host = hosts_.find(parts->first);
    return host == hosts_.end() ? std::nullopt : std::optional(host->second);
}

std::optional<std::pair<std::string, std::size_t>> Directory::peer_host(std::string_view name) const {
    const auto parts = split(normal(name));
    if (!parts) return std::nullopt;
    const auto peer = peers_.find(parts->second);
    if (peer == peers_.end()) return std::nullopt;
    return std::pair(parts->first, peer->second);
}

const Carrier* Directory::carrier_of(const Address& address) const {
    const auto found =
        std::ranges::find_if(carriers_, [&](const Carrier& carrier) { return carrier.contains(address); });
    return found == carriers_.end() ? nullptr : &*found;
}

std::optional<Address> Directory::carried_host(const Address& address) const {
    const Carrier* carrier = carrier_of(address);
    return carrier ? carrier->real_of(address) : std::nullopt;
}

std::optional<Endpoint> Directory::carried_endpoint(const Endpoint& endpoint) const {
    if (endpoint.port == 0) return std::nullopt;
    const auto real = carried_host(endpoint.address);
    // Any of the hosts may be this machine.
    if (!real || listener_ports_.contains(endpoint.port) || listeners_.contains({*real, endpoint.port}))
        return std::nullopt;
    return Endpoint{*real, endpoint.port};
}

bool Directory::is_own_listener(const Endpoint& endpoint) const {
    if (listeners_.contains(endpoint)) return true;
    return listener_ports_.contains(endpoint.port) && is_own(endpoint.address);
}

} // namespace natctl
