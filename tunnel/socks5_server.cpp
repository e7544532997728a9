// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/socks5_server.h"

#include <optional>
#include <utility>

#include "tunnel/close_gently.h"
#include "tunnel/constant_time.h"
#include "tunnel/dial_allowed.h"
#include "tunnel/join.h"
#include "tunnel/message.h"
#include "tunnel/served_association.h"

namespace natctl {

namespace {

using socks5::Bytes;
using socks5::Destination;
using socks5::Method;
using socks5::Reply;

/// One client, up to the point where the relay takes over.
class Session {
public:
    Session(Context& context, ProxyClient client)
        : context_(context),
          settings_(std::move(client.settings)),
          listener_(*client.listener),
          client_(std::move(client.socket)),
          source_(client.source) {}

    asio::awaitable<void> run();

private:
    asio::awaitable<std::optional<socks5::Request>> read_request();
    asio::awaitable<bool> log_in();
    asio::awaitable<void> refuse(Reply reply);
    void log(const std::string& to, const DialFailure& failure);

    Context& context_;
    std::shared_ptr<const Settings> settings_;
    const Listener& listener_;
    tcp::socket client_;
    Endpoint source_;
    /// Read and not used yet: clients may send ahead.
    Bytes bytes_;
};

DialFailure not_allowed(std::string cause, std::string remedy) {
    return {Reply::not_allowed, std::move(cause), std::move(remedy), ""};
}

void Session::log(const std::string& to, const DialFailure& failure) {
    context_.log.failed(source_, to, failure.link, failure.cause, failure.remedy);
}

asio::awaitable<void> Session::run() {
    const auto request = co_await read_request();
    if (!request) co_return co_await close_gently(context_, *settings_, client_);
    // Its destination says nothing: some put zeros there, some the first target.
    if (request->command == static_cast<std::uint8_t>(socks5::Command::udp_associate))
        co_return co_await serve_association(context_, settings_, listener_, client_, source_);
    if (request->command != static_cast<std::uint8_t>(socks5::Command::connect))
        co_return co_await refuse(Reply::command_not_supported);
    if (!request->destination) co_return co_await refuse(Reply::address_type_not_supported);

    const Destination& wanted = *request->destination;
    DialResult result = co_await dial_allowed(context_, *settings_, listener_, wanted);
    if (const auto* failure = std::get_if<DialFailure>(&result)) {
        log(wanted.text(), *failure);
        co_return co_await refuse(failure->reply);
    }
    Dialed& far = std::get<Dialed>(result);
    if (co_await send(client_, socks5::reply(Reply::succeeded, far.bound))) co_return;
    const Endpoint destination{wanted.address() ? *wanted.address() : Address(), wanted.port};
    co_await join(context_, std::move(client_), std::move(far), std::move(bytes_), source_, destination);
}

asio::awaitable<std::optional<socks5::Request>> Session::read_request() {
    const Deadlines::Guard guard(context_.strangers, client_, settings_->timeouts.handshake);
    if (!co_await log_in()) co_return std::nullopt;
    co_return (co_await receive(client_, bytes_, socks5::parse_request)).message;
}

asio::awaitable<bool> Session::log_in() {
    const auto greeting = co_await receive(client_, bytes_, socks5::parse_greeting);
    if (!greeting.message) {
        if (greeting.error == std::errc::bad_message)
            log("", not_allowed("the client does not speak SOCKS5", "use socks5:// in its settings"));
        co_return false;
    }
    const bool offered = listener_.credentials ? greeting.message->user_password : greeting.message->none;
    const Method method = listener_.credentials ? Method::user_password : Method::none;
    if (const auto error = co_await send(client_, socks5::method_choice(offered ? method : Method::refused)))
        co_return false;
    if (!offered) {
        log("", not_allowed(listener_.credentials ? "the client offers no user and password"
                                                  : "the client insists on user and password",
                            listener_.credentials ? "give it those of this listener" : "this listener wants none"));
        co_return false;
    }
    if (!listener_.credentials) co_return true;
    const auto given = co_await receive(client_, bytes_, socks5::parse_user_password);
    if (!given.message) co_return false;
    const bool good = matches(*listener_.credentials, *given.message);
    if (!good) log("", not_allowed("wrong user or password", "compare them with this listener's"));
    if (const auto error = co_await send(client_, socks5::user_password_status(good))) co_return false;
    co_return good;
}

asio::awaitable<void> Session::refuse(Reply reply) {
    if (const auto error = co_await send(client_, socks5::reply(reply))) co_return;
    co_await close_gently(context_, *settings_, client_);
}

} // namespace

asio::awaitable<void> serve_socks5(Context& context, ProxyClient client) {
    Session session(context, std::move(client));
    co_await session.run();
}

} // namespace natctl
