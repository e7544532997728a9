// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/socks5_server.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <asio/error.hpp>

#include "tunnel/constant_time.h"
#include "tunnel/dial.h"
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
    Session(Context& context, tcp::socket client, Endpoint source)
        : context_(context),
          settings_(context.settings),
          client_(std::move(client)),
          source_(source) {}

    asio::awaitable<void> run(const Listener& listener);

private:
    asio::awaitable<std::optional<socks5::Request>> read_request(const Listener& listener);
    asio::awaitable<bool> log_in(const Listener& listener);
    asio::awaitable<DialResult> dial(const Access& access, const Destination& wanted);
    asio::awaitable<DialResult> dial_decided(const Decision& decision);
    asio::awaitable<DialResult> dial_by_name(const Access& access, const Destination& wanted);
    asio::awaitable<void> refuse(Reply reply);
    asio::awaitable<void> close_gently();
    void log(const std::string& to, const DialFailure& failure);

    Context& context_;
    std::shared_ptr<const Settings> settings_;
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

asio::awaitable<void> Session::run(const Listener& listener) {
    const auto request = co_await read_request(listener);
    if (!request) co_return co_await close_gently();
    // Its destination says nothing: some put zeros there, some the first target.
    if (request->command == static_cast<std::uint8_t>(socks5::Command::udp_associate))
        co_return co_await serve_association(context_, settings_, listener, client_, source_);
    if (request->command != static_cast<std::uint8_t>(socks5::Command::connect))
        co_return co_await refuse(Reply::command_not_supported);
    if (!request->destination) co_return co_await refuse(Reply::address_type_not_supported);

    const Destination& wanted = *request->destination;
    DialResult result = co_await dial(listener.access, wanted);
    if (const auto* failure = std::get_if<DialFailure>(&result)) {
        log(wanted.text(), *failure);
        co_return co_await refuse(failure->reply);
    }
    Dialed& far = std::get<Dialed>(result);
    if (co_await send(client_, socks5::reply(Reply::succeeded, far.bound))) co_return;
    const Endpoint destination{wanted.address() ? *wanted.address() : Address(), wanted.port};
    co_await join(context_, std::move(client_), std::move(far), std::move(bytes_), source_, destination);
}

asio::awaitable<std::optional<socks5::Request>> Session::read_request(const Listener& listener) {
    const Deadlines::Guard guard(context_.strangers, client_, settings_->timeouts.handshake);
    if (!co_await log_in(listener)) co_return std::nullopt;
    co_return (co_await receive(client_, bytes_, socks5::parse_request)).message;
}

asio::awaitable<bool> Session::log_in(const Listener& listener) {
    const auto greeting = co_await receive(client_, bytes_, socks5::parse_greeting);
    if (!greeting.message) {
        if (greeting.error == std::errc::bad_message)
            log("", not_allowed("the client does not speak SOCKS5", "use socks5:// in its settings"));
        co_return false;
    }
    const bool offered = listener.credentials ? greeting.message->user_password : greeting.message->none;
    const Method method = listener.credentials ? Method::user_password : Method::none;
    if (const auto error = co_await send(client_, socks5::method_choice(offered ? method : Method::refused)))
        co_return false;
    if (!offered) {
        log("", not_allowed(listener.credentials ? "the client offers no user and password"
                                                 : "the client insists on user and password",
                            listener.credentials ? "give it those of this listener" : "this listener wants none"));
        co_return false;
    }
    if (!listener.credentials) co_return true;
    const auto given = co_await receive(client_, bytes_, socks5::parse_user_password);
    if (!given.message) co_return false;
    const bool good = matches(*listener.credentials, *given.message);
    if (!good) log("", not_allowed("wrong user or password", "compare them with this listener's"));
    if (const auto error = co_await send(client_, socks5::user_password_status(good))) co_return false;
    co_return good;
}

asio::awaitable<DialResult> Session::dial(const Access& access, const Destination& wanted) {
    const Decision decision = access.decide(wanted);
    switch (decision.kind) {
    case Decision::Kind::refuse: break;
    case Decision::Kind::resolve: co_return co_await dial_by_name(access, decision.destination);
    case Decision::Kind::direct:
    case Decision::Kind::peer: co_return co_await dial_decided(decision);
    }
    co_return not_allowed("this listener does not go there", "`to` of [[tunnel.socks5]] allows more destinations");
}

asio::awaitable<DialResult> Session::dial_decided(const Decision& decision) {
    const Destination& destination = decision.destination;
    const PeerProxies* peer = decision.kind == Decision::Kind::peer ? &settings_->peers[decision.peer] : nullptr;
    // To a peer by its interface the kernel's routes know the way.
    if (const Address* address = destination.address(); address && (!peer || peer->proxies.empty()))
        co_return co_await dial_direct(context_, *settings_, {*address, destination.port});
    co_return co_await dial_peer(context_, *settings_, *peer, destination);
}

asio::awaitable<DialResult> Session::dial_by_name(const Access& access, const Destination& wanted) {
    tcp::resolver resolver(context_.executor);
    const auto [error, results] = co_await resolver.async_resolve(*wanted.name(), std::to_string(wanted.port),
                                                                  tcp::resolver::numeric_service, awaiting);
    if (error) co_return DialFailure{Reply::host_unreachable, "cannot look up the name: " + error.message(), "", ""};
    DialResult result = not_allowed("this listener goes to none of the name's addresses",
                                    "`to` of [[tunnel.socks5]] allows more destinations");
    for (const auto& entry : results) {
        const Decision decision = access.decide(Destination::of(from_asio(entry.endpoint())));
        if (decision.kind != Decision::Kind::direct && decision.kind != Decision::Kind::peer) continue;
        result = co_await dial_decided(decision);
        if (std::holds_alternative<Dialed>(result)) break;
    }
    co_return result;
}

asio::awaitable<void> Session::refuse(Reply reply) {
    if (const auto error = co_await send(client_, socks5::reply(reply))) co_return;
    co_await close_gently();
}

/// A close with unread bytes would send RST, which can overtake our last words.
asio::awaitable<void> Session::close_gently() {
    const Deadlines::Guard guard(context_.strangers, client_, settings_->timeouts.handshake);
    std::error_code error;
    client_.shutdown(tcp::socket::shutdown_send, error);
    std::array<std::uint8_t, 512> scrap;
    while (!error) {
        const auto [failure, count] = co_await client_.async_read_some(asio::buffer(scrap), awaiting);
        static_cast<void>(count);
        error = failure;
    }
}

} // namespace

asio::awaitable<void> serve_socks5(Context& context, tcp::socket client, Endpoint listen) {
    const auto settings = context.settings;
    const Listener* listener = settings->listener_at(listen);
    std::error_code error;
    const Endpoint source = from_asio(client.remote_endpoint(error));
    if (error || !listener) co_return;
    if (!listener->access.admits(source.address)) {
        context.log.failed(source, "", "socks5 listener " + listen.text(), "this source may not connect",
                           "`allow` of [[tunnel.socks5]] admits sources");
        reset(client);
        co_return;
    }
    tune(client);
    Session session(context, std::move(client), source);
    co_await session.run(*listener);
}

} // namespace natctl
