// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/socks5_client.h"

#include <algorithm>

#include <asio/error.hpp>

#include "tunnel/message.h"

namespace natctl {

namespace {

using socks5::Bytes;
using socks5::Method;

ProxyAnswer no_reply(std::string cause, std::string remedy, bool asked = false) {
    return {std::nullopt, std::move(cause), std::move(remedy), asked, {}};
}

std::string cause_of(const std::error_code& error, bool expired) {
    if (expired) return "the proxy did not answer in time";
    if (error == asio::error::eof) return "the proxy closed the connection during the handshake";
    if (error == std::errc::bad_message) return "the proxy does not speak SOCKS5";
    return "the handshake with the proxy failed: " + error.message();
}

const char* const is_it_socks5 = "is a SOCKS5 proxy listening there?";

ProxyAnswer failed(const std::error_code& error, const Deadlines::Guard& guard) {
    auto answer = no_reply(cause_of(error, guard.expired()), is_it_socks5);
    answer.given_up = !guard.expired() && error == asio::error::operation_aborted;
    answer.worth_a_retry = !guard.expired() && !answer.given_up;
    return answer;
}

ProxyAnswer wrong_method(const Proxy& proxy) {
    return no_reply("the proxy accepts none of our ways to log in",
                    proxy.credentials ? "it may know no user and password" : "give the link user and password_file");
}

/// nullopt: it knows the password.
asio::awaitable<std::optional<ProxyAnswer>> read_status(tcp::socket& socket, const Proxy& proxy, Bytes& bytes,
                                                        const Deadlines::Guard& guard) {
    const auto status = co_await receive(socket, bytes, socks5::parse_user_password_status);
    if (!status.message) co_return failed(status.error, guard);
    if (!*status.message)
        co_return no_reply("the proxy refused user \"" + proxy.credentials->user + "\"",
                           "compare user and password_file with the proxy's configuration");
    co_return std::nullopt;
}

/// Up to the point where the request may be sent. nullopt: go ahead.
asio::awaitable<std::optional<ProxyAnswer>> introduce(tcp::socket& socket, const Proxy& proxy, Bytes& bytes,
                                                      const Deadlines::Guard& guard) {
    if (const auto error = co_await send(socket, socks5::greeting(proxy.credentials.has_value())))
        co_return failed(error, guard);
    const auto method = co_await receive(socket, bytes, socks5::parse_method_choice);
    if (!method.message) co_return failed(method.error, guard);
    if (*method.message == static_cast<std::uint8_t>(Method::none)) co_return std::nullopt;
    if (*method.message != static_cast<std::uint8_t>(Method::user_password) || !proxy.credentials)
        co_return wrong_method(proxy);
    if (const auto error = co_await send(socket, socks5::user_password(*proxy.credentials)))
        co_return failed(error, guard);
    co_return co_await read_status(socket, proxy, bytes, guard);
}

/// All that a client says. Whether it would be asked for the password is not awaited: no other method is offered.
Bytes all_at_once(const Proxy& proxy, socks5::Command command, const socks5::Destination& destination) {
    Bytes bytes = socks5::greeting(proxy.credentials ? Method::user_password : Method::none);
    const auto add = [&bytes](const Bytes& more) { bytes.insert(bytes.end(), more.begin(), more.end()); };
    if (proxy.credentials) add(socks5::user_password(*proxy.credentials));
    add(socks5::request(command, destination));
    return bytes;
}

/// What comes in front of the reply to all_at_once(). nullopt: the request was read.
asio::awaitable<std::optional<ProxyAnswer>> hear_welcome(tcp::socket& socket, const Proxy& proxy, Bytes& bytes,
                                                         const Deadlines::Guard& guard) {
    const auto method = co_await receive(socket, bytes, socks5::parse_method_choice);
    if (!method.message) co_return failed(method.error, guard);
    const Method offered = proxy.credentials ? Method::user_password : Method::none;
    if (*method.message != static_cast<std::uint8_t>(offered)) {
        auto answer = wrong_method(proxy);
        answer.worth_a_retry = true;
        co_return answer;
    }
    if (!proxy.credentials) co_return std::nullopt;
    co_return co_await read_status(socket, proxy, bytes, guard);
}

asio::awaitable<ProxyAnswer> read_reply(tcp::socket& socket, Bytes bytes, const Deadlines::Guard& guard) {
    auto reply = co_await receive(socket, bytes, socks5::parse_reply);
    if (reply.message) co_return ProxyAnswer{std::move(*reply.message), {}, {}, true, std::move(bytes)};
    auto answer = failed(reply.error, guard);
    answer.remedy = "look at the proxy's log";
    answer.asked = true;
    answer.worth_a_retry = answer.worth_a_retry && bytes.empty();
    co_return answer;
}

} // namespace

asio::awaitable<std::optional<ProxyAnswer>> greet_proxy(tcp::socket& socket, const Proxy& proxy, Deadlines& deadlines,
                                                        const Timeouts& timeouts) {
    Bytes bytes;
    const Deadlines::Guard guard(deadlines, socket, timeouts.handshake);
    auto failure = co_await introduce(socket, proxy, bytes, guard);
    // Nothing was asked, so there is nothing to answer.
    if (!failure && !bytes.empty())
        failure = no_reply(cause_of(std::make_error_code(std::errc::bad_message), false), is_it_socks5);
    co_return failure;
}

asio::awaitable<ProxyAnswer> ask_greeted_proxy(tcp::socket& socket, socks5::Command command,
                                               const socks5::Destination& destination, Deadlines& deadlines,
                                               const Timeouts& timeouts) {
    const Deadlines::Guard guard(deadlines, socket, timeouts.reply);
    if (const auto error = co_await send(socket, socks5::request(command, destination))) co_return failed(error, guard);
    co_return co_await read_reply(socket, {}, guard);
}

asio::awaitable<ProxyAnswer> ask_proxy(tcp::socket& socket, const Proxy& proxy, socks5::Command command,
                                       const socks5::Destination& destination, Deadlines& deadlines,
                                       const Timeouts& timeouts) {
    if (auto failure = co_await greet_proxy(socket, proxy, deadlines, timeouts)) co_return std::move(*failure);
    co_return co_await ask_greeted_proxy(socket, command, destination, deadlines, timeouts);
}

asio::awaitable<ProxyAnswer> ask_proxy_ahead(tcp::socket& socket, const Proxy& proxy, socks5::Command command,
                                             const socks5::Destination& destination, Deadlines& deadlines,
                                             const Timeouts& timeouts) {
    Bytes bytes;
    {
        const Deadlines::Guard guard(deadlines, socket, timeouts.handshake);
        if (const auto error = co_await send(socket, all_at_once(proxy, command, destination)))
            co_return failed(error, guard);
        if (auto failure = co_await hear_welcome(socket, proxy, bytes, guard)) co_return std::move(*failure);
    }
    const Deadlines::Guard guard(deadlines, socket, timeouts.reply);
    co_return co_await read_reply(socket, std::move(bytes), guard);
}

asio::awaitable<bool> takes_requests_ahead(tcp::socket& socket, const Proxy& proxy, Deadlines& deadlines,
                                           const Timeouts& timeouts) {
    // A command of no RFC, so that nothing comes of it.
    constexpr auto no_command = static_cast<socks5::Command>(0);
    const Deadlines::Guard guard(deadlines, socket, std::min(timeouts.handshake, timeouts.trial));
    Bytes bytes;
    if (co_await send(socket, all_at_once(proxy, no_command, {}))) co_return false;
    if (co_await hear_welcome(socket, proxy, bytes, guard)) co_return false;
    co_return (co_await receive(socket, bytes, socks5::parse_reply)).message.has_value();
}

} // namespace natctl
