// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/tproxy_listener.h"

#include <utility>

#include <spdlog/spdlog.h>

#include "tunnel/dial.h"
#include "tunnel/join.h"

namespace natctl {

asio::awaitable<void> serve_transparent(Context& context, tcp::socket client) {
    const auto settings = context.settings;
    std::error_code no_source;
    std::error_code no_destination;
    const Endpoint source = from_asio(client.remote_endpoint(no_source));
    const Endpoint destination = from_asio(client.local_endpoint(no_destination));
    if (no_source || no_destination) co_return;
    const auto peer = settings->directory->peer_of(destination.address);
    if (!peer || settings->directory->is_own_listener(destination)) {
        context.log.failed(source, destination.text(), "", "refused: the address is no peer's",
                           "only flows that the kernel intercepts belong here");
        reset(client);
        co_return;
    }
    tune(client);
    DialResult result =
        co_await dial_peer(context, *settings, settings->peers[*peer], socks5::Destination::of(destination));
    if (const auto* failure = std::get_if<DialFailure>(&result)) {
        context.log.failed(source, destination.text(), failure->link, failure->cause, failure->remedy);
        reset(client);
        co_return;
    }
    co_await join(context, std::move(client), std::get<Dialed>(std::move(result)), {}, source, destination);
}

} // namespace natctl
