// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/reach_proxy.h"

#include <spdlog/spdlog.h>

#include "tunnel/connect.h"

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

} // namespace

asio::awaitable<std::optional<ProxyFailure>> reach_proxy(Context& context, const Settings& settings,
                                                         tcp::socket& socket, const Proxy& proxy, bool is_last) {
    const Path path = proxy.server.address.is_loopback() ? Path::near : Path::far;
    const auto limit = is_last ? settings.timeouts.last_proxy : settings.timeouts.proxy;
    const auto error = co_await connect(socket, proxy.server, path, settings.bypass_mark, context.attempts, limit);
    if (!error) co_return std::nullopt;
    ProxyFailure failure{"cannot connect to the proxy: " + error.message(),
                         connect_remedy(error, "is the proxy running?")};
    if (!is_own(error)) note_failure(proxy, failure.cause, failure.remedy);
    co_return failure;
}

asio::awaitable<ProxyAnswer> ask_reached_proxy(Context& context, const Settings& settings, tcp::socket& socket,
                                               const Proxy& proxy, socks5::Command command,
                                               const socks5::Destination& destination) {
    auto answer = co_await ask_proxy(socket, proxy, command, destination, context.attempts, settings.timeouts);
    if (answer.asked)
        note_answer(proxy);
    else
        note_failure(proxy, answer.cause, answer.remedy);
    co_return answer;
}

asio::awaitable<void> probe_proxy(Context& context, const Settings& settings, const Proxy& proxy) {
    tcp::socket socket(context.executor);
    if (co_await reach_proxy(context, settings, socket, proxy, false)) co_return;
    if (const auto failure = co_await greet_proxy(socket, proxy, context.attempts, settings.timeouts))
        note_failure(proxy, failure->cause, failure->remedy);
    else
        note_answer(proxy);
}

} // namespace natctl
