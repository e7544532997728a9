// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/http_server.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include <asio/buffer.hpp>

#include "tunnel/close_gently.h"
#include "tunnel/constant_time.h"
#include "tunnel/dial_allowed.h"
#include "tunnel/http_request.h"
#include "tunnel/join.h"
#include "tunnel/message.h"

namespace natctl {

namespace {

using http::HeadScanner;
using http::Refusal;
using http::Request;

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
    asio::awaitable<std::optional<Request>> read_request();
    /// nullopt: the client is gone. Leaves in bytes_ what came after the head.
    asio::awaitable<std::optional<std::variant<Request, Refusal>>> read_head();
    std::optional<Refusal> objection_to(const Request& request);
    asio::awaitable<void> pass_on(Request request);
    asio::awaitable<void> answer(const Refusal& refusal, bool is_head);
    void log(const std::string& to, const Refusal& refusal, const std::string& link = {});

    Context& context_;
    std::shared_ptr<const Settings> settings_;
    const Listener& listener_;
    tcp::socket client_;
    Endpoint source_;
    /// Read and not used yet.
    socks5::Bytes bytes_;
};

unsigned status_of(socks5::Reply reply) {
    switch (reply) {
    case socks5::Reply::not_allowed: return 403;
    case socks5::Reply::ttl_expired: return 504;
    default: return 502;
    }
}

std::optional<Refusal> refusal_of(HeadScanner::State state) {
    switch (state) {
    case HeadScanner::State::malformed:
        return Refusal{400, "the client does not speak HTTP/1.1 as it is written", "use http:// for this proxy"};
    case HeadScanner::State::too_large:
        return Refusal{431, "the head of the request is longer than 16 KiB", "send fewer cookies or a shorter URL"};
    case HeadScanner::State::incomplete:
    case HeadScanner::State::done: break;
    }
    return std::nullopt;
}

void Session::log(const std::string& to, const Refusal& refusal, const std::string& link) {
    context_.log.failed(source_, to, link, refusal.cause, refusal.remedy);
}

asio::awaitable<void> Session::run() {
    auto request = co_await read_request();
    if (request) co_await pass_on(*std::move(request));
}

asio::awaitable<std::optional<Request>> Session::read_request() {
    auto read = co_await read_head();
    if (!read) co_return std::nullopt;
    auto* request = std::get_if<Request>(&*read);
    auto refusal = request ? objection_to(*request) : std::optional(std::get<Refusal>(*read));
    if (!refusal) co_return std::move(*request);
    log(request ? request->destination.text() : "", *refusal);
    co_await answer(*refusal, request && request->is_head);
    co_return std::nullopt;
}

asio::awaitable<std::optional<std::variant<Request, Refusal>>> Session::read_head() {
    using Result = std::optional<std::variant<Request, Refusal>>;
    const Deadlines::Guard guard(context_.strangers, client_, settings_->timeouts.handshake,
                                 Deadlines::Guard::Expiry::cancel);
    HeadScanner scanner;
    while (scanner.scan(bytes_) == HeadScanner::State::incomplete) {
        constexpr std::size_t step = 2048;
        const std::size_t had = bytes_.size();
        bytes_.resize(had + step);
        const auto [error, count] = co_await client_.async_read_some(asio::buffer(bytes_.data() + had, step), awaiting);
        bytes_.resize(had + count);
        // Who has said nothing may have connected in advance, and hears nothing either.
        if (guard.expired() && !bytes_.empty()) co_return Result(Refusal{408, "the request is too slow", ""});
        if (error || guard.expired()) co_return std::nullopt;
    }
    if (auto refusal = refusal_of(scanner.scan(bytes_))) co_return Result(*std::move(refusal));
    const auto end = bytes_.begin() + static_cast<std::ptrdiff_t>(scanner.size());
    const std::string head(bytes_.begin(), end);
    bytes_.erase(bytes_.begin(), end);
    auto parsed = http::parse_request(head);
    co_return Result(std::move(parsed));
}

/// Before anything is dialled.
std::optional<Refusal> Session::objection_to(const Request& request) {
    if (listener_.credentials && !request.credentials)
        return Refusal{407, "the client gives no user and password", "give it those of this listener"};
    if (listener_.credentials && !matches(*listener_.credentials, *request.credentials))
        return Refusal{407, "wrong user or password", "compare them with this listener's"};
    if (!request.is_connect && http::BodyMeter(request.body).take(bytes_) < bytes_.size())
        return Refusal{400, "more than one request on a connection", "make a connection for each (no pipelining)"};
    return std::nullopt;
}

asio::awaitable<void> Session::pass_on(Request request) {
    const socks5::Destination wanted = request.destination;
    DialResult result = co_await dial_allowed(context_, *settings_, listener_, wanted);
    if (const auto* failure = std::get_if<DialFailure>(&result)) {
        const Refusal refusal{status_of(failure->reply), failure->cause, failure->remedy};
        log(wanted.text(), refusal, failure->link);
        co_return co_await answer(refusal, request.is_head);
    }
    Dialed& far = std::get<Dialed>(result);
    std::unique_ptr<http::BodyMeter> body;
    if (request.is_connect) {
        if (co_await send(client_, http::established)) co_return;
    } else {
        body = std::make_unique<http::BodyMeter>(request.body);
        body->take(bytes_);
        bytes_.insert(bytes_.begin(), request.head.begin(), request.head.end());
    }
    const Endpoint destination{wanted.address() ? *wanted.address() : Address(), wanted.port};
    co_await join(context_, std::move(client_), std::move(far), std::move(bytes_), source_, destination,
                  std::move(body));
}

asio::awaitable<void> Session::answer(const Refusal& refusal, bool is_head) {
    const std::string text = http::answer(refusal, is_head);
    if (const auto error = co_await send(client_, text)) co_return;
    // After a timeout a gentle end would take another client's place among the strangers.
    if (refusal.status != 408) co_await close_gently(context_, *settings_, client_);
}

} // namespace

asio::awaitable<void> serve_http(Context& context, ProxyClient client) {
    Session session(context, std::move(client));
    co_await session.run();
}

} // namespace natctl
