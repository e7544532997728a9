// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/socks5_client.h"

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

/// Up to the point where the request may be sent. nullopt: go ahead.
asio::awaitable<std::optional<ProxyAnswer>> introduce(tcp::socket& socket, const Proxy& proxy, Bytes& bytes,
                                                      const Deadlines::Guard& guard) {
    if (const auto error = co_await send(socket, socks5::greeting(proxy.credentials.has_value())))
        co_return no_reply(cause_of(error, guard.expired()), is_it_socks5);
    const auto method = co_await receive(socket, bytes, socks5::parse_method_choice);
    if (!method.message) co_return no_reply(cause_of(method.error, guard.expired()), is_it_socks5);
    if (*method.message == static_cast<std::uint8_t>(Method::none)) co_return std::nullopt;
    if (*method.message != static_cast<std::uint8_t>(Method::user_password) || !proxy.credentials)
        co_return no_reply("the proxy accepts none of our ways to log in",
                           proxy.credentials ? "it may know no user and password"
                                             : "give the link user and password_file");
    if (const auto error = co_await send(socket, socks5::user_password(*proxy.credentials)))
        co_return no_reply(cause_of(error, guard.expired()), is_it_socks5);
    const auto status = co_await receive(socket, bytes, socks5::parse_user_password_status);
    if (!status.message) co_return no_reply(cause_of(status.error, guard.expired()), is_it_socks5);
    if (!*status.message)
        co_return no_reply("the proxy refused user \"" + proxy.credentials->user + "\"",
                           "compare user and password_file with the proxy's configuration");
    co_return std::nullopt;
}

} // namespace

asio::awaitable<std::optional<ProxyAnswer>> greet_proxy(tcp::socket& socket, const Proxy& proxy, Deadlines& deadlines,
                                                        const Timeouts& timeouts) {
    Bytes bytes;
    const Deadlines::Guard guard(deadlines, socket, timeouts.handshake);
    co_return co_await introduce(socket, proxy, bytes, guard);
}

asio::awaitable<ProxyAnswer> ask_proxy(tcp::socket& socket, const Proxy& proxy, socks5::Command command,
                                       const socks5::Destination& destination, Deadlines& deadlines,
                                       const Timeouts& timeouts) {
    Bytes bytes;
    {
        const Deadlines::Guard guard(deadlines, socket, timeouts.handshake);
        if (auto failure = co_await introduce(socket, proxy, bytes, guard)) co_return std::move(*failure);
    }
    const Deadlines::Guard guard(deadlines, socket, timeouts.reply);
    if (const auto error = co_await send(socket, socks5::request(command, destination)))
        co_return no_reply(cause_of(error, guard.expired()), is_it_socks5);
    auto reply = co_await receive(socket, bytes, socks5::parse_reply);
    if (!reply.message) co_return no_reply(cause_of(reply.error, guard.expired()), "look at the proxy's log", true);
    co_return ProxyAnswer{std::move(*reply.message), {}, {}, true, std::move(bytes)};
}

} // namespace natctl
