// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/reach_proxy.h"

#include <optional>
#include <utility>

#include <spdlog/spdlog.h>

#include "tunnel/connect.h"
#include "tunnel/warm_connections.h"

namespace natctl {

namespace {

using Clock = ProxyHealth::Clock;

void note_answer(const Proxy& proxy) {
    if (proxy.health->answered(Clock::now())) spdlog::info("socks5 {} answers again", proxy.server.text());
}

void note_failure(const Proxy& proxy, const std::string& cause, const std::string& remedy) {
    if (!proxy.health->failed(Clock::now(), cause)) return;
    spdlog::warn("socks5 {} is down: {}{}{}; new flows take another link where there is one", proxy.server.text(),
                 cause, remedy.empty() ? "" : "; ", remedy);
}

/// Of ours, not the proxy's.
bool is_own(const std::error_code& error) {
    return error == std::errc::too_many_files_open || error == std::errc::too_many_files_open_in_system ||
           error == std::errc::not_enough_memory || error == std::errc::operation_not_permitted ||
           error == std::errc::operation_canceled;
}

/// nullopt: it is connected.
asio::awaitable<std::optional<ProxyAnswer>> reach(Context& context, const Settings& settings, tcp::socket& socket,
                                                  const Proxy& proxy, bool is_last) {
    const Path path = proxy.server.address.is_loopback() ? Path::near : Path::far;
    const auto limit = is_last ? settings.timeouts.last_proxy : settings.timeouts.proxy;
    const auto error = co_await connect(socket, proxy.server, path, settings.bypass_mark, context.attempts, limit);
    if (!error) co_return std::nullopt;
    ProxyAnswer answer{.reply = std::nullopt,
                       .cause = "cannot connect to the proxy: " + error.message(),
                       .remedy = connect_remedy(error, "is the proxy running?"),
                       .early = {},
                       .reached = false};
    if (!is_own(error)) note_failure(proxy, answer.cause, answer.remedy);
    co_return answer;
}

} // namespace

asio::awaitable<ProxyAnswer> ask_proxy_at(Context& context, const Settings& settings, tcp::socket& socket,
                                          const Proxy& proxy, bool is_last, socks5::Command command,
                                          const socks5::Destination& destination) {
    const Timeouts& timeouts = settings.timeouts;
    if (auto warm = context.warm.take(context, proxy)) {
        socket = std::move(*warm);
        give_up_after(socket, timeouts.silence);
        auto answer = co_await ask_greeted_proxy(socket, command, destination, context.attempts, timeouts);
        if (!answer.worth_a_retry) {
            give_up_as_usual(socket);
            if (answer.asked) note_answer(proxy);
            co_return answer;
        }
        // It hung up, or the way to it is not what it was. Of the client nothing was sent yet.
        context.warm.distrust(proxy);
        socket = tcp::socket(context.executor);
    }
    if (auto failure = co_await reach(context, settings, socket, proxy, is_last)) co_return std::move(*failure);
    std::optional<ProxyAnswer> answer;
    if (context.warm.is_on() && proxy.health->manners.takes_requests_ahead()) {
        answer = co_await ask_proxy_ahead(socket, proxy, command, destination, context.attempts, timeouts);
        if (!answer->asked && answer->worth_a_retry) {
            answer.reset();
            proxy.health->manners.forget();
            socket = tcp::socket(context.executor);
            if (auto failure = co_await reach(context, settings, socket, proxy, is_last)) co_return std::move(*failure);
        }
    }
    if (!answer) answer = co_await ask_proxy(socket, proxy, command, destination, context.attempts, timeouts);
    if (answer->asked)
        note_answer(proxy);
    else if (!answer->given_up)
        note_failure(proxy, answer->cause, answer->remedy);
    co_return std::move(*answer);
}

asio::awaitable<bool> greet_proxy_at(Context& context, const Settings& settings, tcp::socket& socket,
                                     const Proxy& proxy) {
    if (co_await reach(context, settings, socket, proxy, false)) co_return false;
    const auto failure = co_await greet_proxy(socket, proxy, context.attempts, settings.timeouts);
    if (failure)
        note_failure(proxy, failure->cause, failure->remedy);
    else
        note_answer(proxy);
    co_return !failure;
}

asio::awaitable<void> try_manners(Context& context, const Settings& settings, const Proxy& proxy) {
    tcp::socket socket(context.executor);
    if (co_await reach(context, settings, socket, proxy, false)) co_return proxy.health->manners.forget();
    const bool ahead = co_await takes_requests_ahead(socket, proxy, context.attempts, settings.timeouts);
    proxy.health->manners.learned(ahead);
    spdlog::debug("socks5 {} {} requests that are sent ahead", proxy.server.text(), ahead ? "takes" : "loses");
}

} // namespace natctl
