// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/dial_allowed.h"

#include <string>
#include <utility>

namespace natctl {

namespace {

using socks5::Destination;
using socks5::Reply;

DialFailure not_allowed(const Listener& listener, std::string cause) {
    return {Reply::not_allowed, std::move(cause),
            std::string("`to` of ") + title_of(listener.protocol) + " allows more destinations", ""};
}

asio::awaitable<DialResult> dial_decided(Context& context, const Settings& settings, const Decision& decision) {
    const Destination& destination = decision.destination;
    const PeerProxies* peer = decision.kind == Decision::Kind::peer ? &settings.peers[decision.peer] : nullptr;
    // To a peer by its interface the kernel's routes know the way.
    if (const Address* address = destination.address(); address && (!peer || peer->proxies.empty()))
        co_return co_await dial_direct(context, settings, {*address, destination.port});
    co_return co_await dial_peer(context, settings, *peer, destination);
}

asio::awaitable<DialResult> dial_by_name(Context& context, const Settings& settings, const Listener& listener,
                                         const Destination& wanted) {
    tcp::resolver resolver(context.executor);
    const auto [error, results] = co_await resolver.async_resolve(*wanted.name(), std::to_string(wanted.port),
                                                                  tcp::resolver::numeric_service, awaiting);
    if (error) co_return DialFailure{Reply::host_unreachable, "cannot look up the name: " + error.message(), "", ""};
    DialResult result = not_allowed(listener, "this listener goes to none of the name's addresses");
    for (const auto& entry : results) {
        const Decision decision = listener.access.decide(Destination::of(from_asio(entry.endpoint())));
        if (decision.kind != Decision::Kind::direct && decision.kind != Decision::Kind::peer) continue;
        result = co_await dial_decided(context, settings, decision);
        if (std::holds_alternative<Dialed>(result)) break;
    }
    co_return result;
}

} // namespace

asio::awaitable<DialResult> dial_allowed(Context& context, const Settings& settings, const Listener& listener,
                                         const Destination& wanted) {
    const Decision decision = listener.access.decide(wanted);
    switch (decision.kind) {
    case Decision::Kind::refuse: break;
    case Decision::Kind::resolve: co_return co_await dial_by_name(context, settings, listener, decision.destination);
    case Decision::Kind::direct:
    case Decision::Kind::peer: co_return co_await dial_decided(context, settings, decision);
    }
    co_return not_allowed(listener, "this listener does not go there");
}

} // namespace natctl
