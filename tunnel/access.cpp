// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/access.h"

#include <algorithm>
#include <utility>

#include "tunnel/special_addresses.h"

namespace natctl {

namespace {

/// Names that can be asked of a resolver or a proxy and written to a log.
bool is_host_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_';
    });
}

} // namespace

Access::Access(std::shared_ptr<const Directory> directory, const ProxyListener& listener)
    : directory_(std::move(directory)),
      sources_(listener.allow),
      on_loopback_(listener.listen.address.is_loopback()),
      has_destinations_(!listener.to.empty()),
      destinations_(listener.to) {
    admits_all_ = listener.allow.empty() && (on_loopback_ || listener.credentials.has_value());
    std::vector<Prefix> reachable = directory_->own_prefixes();
    reachable.insert(reachable.end(), listener.to.begin(), listener.to.end());
    reachable_ = AddressSet(reachable);
    std::erase_if(reachable, [](const Prefix& prefix) { return !is_special(prefix); });
    named_special_ = AddressSet(reachable);
}

bool Access::admits(const Address& source) const { return admits_all_ || sources_.contains(source.unmapped()); }

Decision Access::decide(const socks5::Destination& destination) const {
    if (destination.port == 0) return {};
    if (const Address* address = destination.address()) return decide_address({address->unmapped(), destination.port});
    const std::string& name = *destination.name();
    if (const auto address = Address::parse(name)) return decide_address({address->unmapped(), destination.port});
    return decide_name(name, destination.port);
}

bool Access::is_reachable(const Address& address) const {
    if (address.is_unspecified()) return false;
    return is_special(address) ? named_special_.contains(address) : reachable_.contains(address);
}

Decision Access::decide_address(const Endpoint& endpoint) const {
    if (directory_->is_own_listener(endpoint)) return {};
    if (directory_->carrier_of(endpoint.address)) {
        const auto real = directory_->carried_endpoint(endpoint);
        return real ? Decision{Decision::Kind::direct, socks5::Destination::of(*real)} : Decision{};
    }
    const auto destination = socks5::Destination::of(endpoint);
    if (const auto peer = directory_->peer_of(endpoint.address); peer && !directory_->is_own(endpoint.address)) {
        if (!on_loopback_ && !destinations_.contains(endpoint.address)) return {};
        return {Decision::Kind::peer, destination, *peer};
    }
    if (!is_reachable(endpoint.address)) return {};
    return {Decision::Kind::direct, destination};
}

std::optional<Address> Access::name_of_source(const Address& source) const {
    if (directory_->peer_of(source) && !directory_->is_own(source))
        return on_loopback_ || destinations_.contains(source) ? std::optional(source) : std::nullopt;
    return is_reachable(source) ? source : directory_->virtual_of(source);
}

Decision Access::decide_name(const std::string& name, std::uint16_t port) const {
    if (!is_host_name(name)) return {};
    if (const auto address = directory_->own_host(name)) return decide_address({*address, port});
    if (on_loopback_)
        if (auto at_peer = directory_->peer_host(name))
            return {Decision::Kind::peer, {std::move(at_peer->first), port}, at_peer->second};
    if (has_destinations_) return {Decision::Kind::resolve, {name, port}};
    return {};
}

} // namespace natctl
