// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/dial.h"

#include <utility>

#include "tunnel/connect.h"
#include "tunnel/reach_proxy.h"

namespace natctl {

namespace {

using socks5::Reply;

Reply reply_for(const std::error_code& error) {
    if (error == std::errc::connection_refused || error == std::errc::connection_reset)
        return Reply::connection_refused;
    if (error == std::errc::host_unreachable) return Reply::host_unreachable;
    if (error == std::errc::network_unreachable || error == std::errc::network_down ||
        error == std::errc::address_not_available)
        return Reply::network_unreachable;
    if (error == std::errc::timed_out) return Reply::ttl_expired;
    if (error == std::errc::permission_denied) return Reply::not_allowed;
    return Reply::general_failure;
}

/// A refusal by the proxy is final; anything else leaves it to the next one.
struct Attempt {
    DialResult result;
    bool is_final;
};

asio::awaitable<Attempt> dial_by(Context& context, const Settings& settings, const Proxy& proxy, bool is_last,
                                 const socks5::Destination& target) {
    tcp::socket socket(context.executor);
    auto answer = co_await ask_proxy_at(context, settings, socket, proxy, is_last, socks5::Command::connect, target);
    if (!answer.reply)
        co_return Attempt{DialFailure{answer.reached ? Reply::general_failure : Reply::network_unreachable,
                                      std::move(answer.cause), std::move(answer.remedy), *proxy.label},
                          answer.asked};
    if (answer.reply->reply != Reply::succeeded)
        co_return Attempt{DialFailure{answer.reply->reply, "the proxy says: " + std::string(text(answer.reply->reply)),
                                      answer.reply->reply == Reply::not_allowed
                                          ? "allow this destination at the far side, or look at its log"
                                          : "",
                                      *proxy.label},
                          true};
    const socks5::Destination& bound = answer.reply->bound;
    const bool formal = bound.port == 0 || bound.port == proxy.server.port;
    const Endpoint seen = formal || !bound.address() ? Endpoint{} : Endpoint{*bound.address(), bound.port};
    co_return Attempt{Dialed{std::move(socket), seen, formal, std::move(answer.early), proxy.label}, true};
}

} // namespace

asio::awaitable<DialResult> dial_direct(Context& context, const Settings& settings, Endpoint target) {
    const bool is_near = target.address.is_loopback() || settings.directory->is_own(target.address);
    const Path path = is_near ? Path::near : Path::far;
    static const auto label = std::make_shared<const std::string>("direct");
    tcp::socket socket(context.executor);
    if (const auto error =
            co_await connect(socket, target, path, settings.bypass_mark, context.attempts, settings.timeouts.connect))
        co_return DialFailure{reply_for(error), "cannot connect: " + error.message(),
                              connect_remedy(error, "nothing listens on this port"), *label};
    std::error_code ignored;
    const Endpoint bound = from_asio(socket.local_endpoint(ignored));
    co_return Dialed{std::move(socket), bound, false, {}, label};
}

asio::awaitable<DialResult> dial_peer(Context& context, const Settings& settings, const PeerProxies& peer,
                                      socks5::Destination target) {
    DialResult result = DialFailure{Reply::network_unreachable, peer.name + " has no socks5 link",
                                    "give it one, or reach it by its interface", ""};
    const auto order = in_order(peer);
    for (const Proxy* proxy : order) {
        Attempt attempt = co_await dial_by(context, settings, *proxy, proxy == order.back(), target);
        result = std::move(attempt.result);
        if (attempt.is_final) break;
    }
    co_return result;
}

} // namespace natctl
