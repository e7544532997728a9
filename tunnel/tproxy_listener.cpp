// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/tproxy_listener.h"

#include <optional>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "nftctl/socket/socket_address.h"
#include "tunnel/dial.h"
#include "tunnel/join.h"

namespace natctl {

namespace {

void refuse(Context& context, tcp::socket& client, const Endpoint& source, const Endpoint& destination) {
    context.log.failed(source, destination.text(), "",
                       "refused: no peer has this address, and nothing else leads there",
                       "only flows that the kernel intercepts belong here");
    reset(client);
}

asio::awaitable<void> join_or_reset(Context& context, tcp::socket client, DialResult result, Endpoint source,
                                    Endpoint destination) {
    if (const auto* failure = std::get_if<DialFailure>(&result)) {
        context.log.failed(source, destination.text(), failure->link, failure->cause, failure->remedy);
        reset(client);
        co_return;
    }
    co_await join(context, std::move(client), std::get<Dialed>(std::move(result)), {}, source, destination);
}

/// To the IPv4 host that the address carries.
asio::awaitable<void> pass_on_carried(Context& context, tcp::socket client, Endpoint source, Endpoint destination) {
    const auto settings = context.settings;
    const auto real = settings->directory->carried_endpoint(destination);
    if (!real) co_return refuse(context, client, source, destination);
    tune(client);
    DialResult result = co_await dial_direct(context, *settings, *real);
    co_await join_or_reset(context, std::move(client), std::move(result), source, destination);
}

asio::awaitable<void> pass_on(Context& context, tcp::socket client, Endpoint source, Endpoint destination) {
    const auto settings = context.settings;
    if (settings->directory->carrier_of(destination.address))
        co_return co_await pass_on_carried(context, std::move(client), source, destination);
    const auto route = settings->directory->route_of(destination.address);
    if (!route || settings->directory->is_own_listener(destination))
        co_return refuse(context, client, source, destination);
    tune(client);
    DialResult result =
        co_await dial_peer(context, *settings, settings->peers[*route], socks5::Destination::of(destination));
    co_await join_or_reset(context, std::move(client), std::move(result), source, destination);
}

/// What REDIRECT has overwritten (linux/netfilter_ipv4.h, linux/netfilter_ipv6/ip6_tables.h).
std::optional<Endpoint> original_destination(tcp::socket& client, bool v6) {
    constexpr int so_original_dst = 80;
    sockaddr_in6 address{};
    socklen_t size = v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    if (::getsockopt(client.native_handle(), level, so_original_dst, &address, &size) != 0) return std::nullopt;
    return endpoint_of(reinterpret_cast<const sockaddr*>(&address));
}

} // namespace

asio::awaitable<void> serve_transparent(Context& context, tcp::socket client) {
    std::error_code no_source;
    std::error_code no_destination;
    const Endpoint source = from_asio(client.remote_endpoint(no_source));
    const Endpoint destination = from_asio(client.local_endpoint(no_destination));
    if (no_source || no_destination) co_return;
    co_await pass_on(context, std::move(client), source, destination);
}

asio::awaitable<void> serve_redirected(Context& context, tcp::socket client) {
    std::error_code no_source;
    std::error_code no_address;
    const Endpoint source = from_asio(client.remote_endpoint(no_source));
    const auto local = client.local_endpoint(no_address);
    if (no_source || no_address) co_return;
    const auto destination = original_destination(client, local.address().is_v6());
    // Whoever connects to the listener itself would be led back to it.
    if (!destination || *destination == from_asio(local)) co_return refuse(context, client, source, from_asio(local));
    co_await pass_on(context, std::move(client), source, *destination);
}

} // namespace natctl
