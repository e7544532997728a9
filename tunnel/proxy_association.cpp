// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/proxy_association.h"

#include <array>
#include <utility>

#include <asio/post.hpp>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "nftctl/socket/socket_address.h"
#include "tunnel/datagram_socket.h"
#include "tunnel/reach_proxy.h"
#include "tunnel/spawn.h"

namespace natctl {

namespace {

constexpr std::size_t most_waiting = 64;
constexpr std::size_t most_waiting_bytes = std::size_t{256} << 10;
/// A proxy that refused is left alone for so long.
constexpr auto pause_after_failure = std::chrono::seconds(1);

std::string remedy_for(socks5::Reply reply) {
    if (reply == socks5::Reply::command_not_supported) return "turn on UDP at the proxy (\"udp\": true in Xray)";
    if (reply == socks5::Reply::not_allowed) return "allow UDP at the far side, or look at its log";
    return "look at the proxy's log";
}

} // namespace

ProxyAssociation::ProxyAssociation(Context& context, std::shared_ptr<const Settings> settings, std::size_t route,
                                   const Endpoint& source, Deliver deliver)
    : context_(context),
      settings_(std::move(settings)),
      proxies_(settings_->peers[route]),
      source_(source),
      deliver_(std::move(deliver)),
      slot_(context.datagrams),
      control_(context.executor),
      relay_(context.executor) {}

void ProxyAssociation::start() { spawn(context_.executor, run()); }

asio::awaitable<void> ProxyAssociation::run() {
    const auto self = shared_from_this();
    if (!co_await open()) co_return end(pause_after_failure);
    if (state_ == State::over) co_return;
    state_ = State::open;
    send_waiting();
    spawn(context_.executor, read_relay());
    co_await wait_for_end();
    end({});
}

asio::awaitable<bool> ProxyAssociation::open() {
    Failure failure{proxies_.name + " has no socks5 link", "give it one, or reach it by its interface"};
    std::string link;
    const auto order = in_order(proxies_);
    for (const Proxy* proxy : order) {
        auto failed = co_await open_by(*proxy, proxy == order.back());
        if (!failed || state_ == State::over) co_return !failed;
        failure = std::move(*failed);
        link = *proxy->label;
    }
    context_.log.failed(source_, "UDP", link, failure.first, failure.second);
    co_return false;
}

asio::awaitable<std::optional<ProxyAssociation::Failure>> ProxyAssociation::open_by(const Proxy& proxy, bool is_last) {
    control_ = tcp::socket(context_.executor);
    // Zeros: what the proxy is to expect datagrams from is not known yet, and some take it for the target.
    auto answer =
        co_await ask_proxy_at(context_, *settings_, control_, proxy, is_last, socks5::Command::udp_associate, {});
    if (!answer.reply) co_return Failure(std::move(answer.cause), std::move(answer.remedy));
    if (answer.reply->reply != socks5::Reply::succeeded)
        co_return Failure("the proxy says: " + std::string(text(answer.reply->reply)), remedy_for(answer.reply->reply));
    const auto relay = socks5::relay_endpoint(answer.reply->bound, proxy.server);
    if (!relay) co_return Failure("the proxy names no UDP port", "look at the proxy's log");
    try {
        Fd fd = open_datagram_socket(relay->address.family(), settings_->bypass_mark);
        const SocketAddress address(*relay);
        check(::connect(fd.get(), address.data(), address.size()), "connect", "a UDP socket to " + relay->text());
        relay_.assign(fd.release());
    } catch (const SystemError& error) {
        co_return Failure(error.what(), "");
    }
    co_return std::nullopt;
}

asio::awaitable<void> ProxyAssociation::wait_for_end() {
    std::array<std::uint8_t, 256> scrap;
    std::error_code over;
    while (!over) {
        const auto [error, count] = co_await control_.async_read_some(asio::buffer(scrap), awaiting);
        static_cast<void>(count);
        over = error;
    }
}

asio::awaitable<void> ProxyAssociation::read_relay() {
    const auto self = shared_from_this();
    while (state_ == State::open) {
        const auto [error] = co_await relay_.async_wait(asio::posix::descriptor_base::wait_read, awaiting);
        if (error || state_ != State::open) co_return;
        receive_all();
    }
}

void ProxyAssociation::receive_all() {
    const auto error = context_.datagrams.take_waiting(relay_, [this](const Datagram& datagram) { deliver(datagram); });
    if (error == std::errc::connection_refused) break_off();
}

void ProxyAssociation::deliver(const Datagram& datagram) {
    DropLog& drops = context_.datagrams.drops;
    const auto header = socks5::parse_datagram(datagram.payload);
    if (!header) return drops.dropped(Drop::malformed, datagram.from);
    if (header->fragment != 0) return drops.dropped(Drop::fragment, datagram.from);
    const socks5::Destination& origin = header->destination;
    const auto address = origin.address() ? *origin.address() : Address::parse(*origin.name());
    if (!address || origin.port == 0) return drops.dropped(Drop::stranger, datagram.from, origin.text());
    deliver_({address->unmapped(), origin.port}, datagram.payload.subspan(header->size));
}

void ProxyAssociation::send(const socks5::Destination& to, DatagramView payload) {
    DatagramContext& datagrams = context_.datagrams;
    switch (state_) {
    case State::open:
        datagrams.out.add(relay_.native_handle(), std::nullopt, socks5::DatagramPrefix(to).bytes(), payload, source_,
                          *this);
        return;
    case State::over: return datagrams.drops.dropped(Drop::no_association, source_, proxies_.name);
    case State::opening: break;
    }
    if (waiting_.size() >= most_waiting || waiting_bytes_ + payload.size() > most_waiting_bytes ||
        datagrams.waiting_bytes + payload.size() > datagrams.max_waiting_bytes)
        return datagrams.drops.dropped(Drop::waiting, source_, proxies_.name);
    waiting_bytes_ += payload.size();
    datagrams.waiting_bytes += payload.size();
    waiting_.emplace_back(to, socks5::Bytes(payload.begin(), payload.end()));
}

void ProxyAssociation::send_waiting() {
    for (const auto& [to, payload] : waiting_) send(to, payload);
    context_.datagrams.out.flush();
    forget_waiting();
}

void ProxyAssociation::forget_waiting() {
    waiting_.clear();
    context_.datagrams.waiting_bytes -= std::exchange(waiting_bytes_, 0);
}

void ProxyAssociation::not_sent(std::error_code error, const Endpoint& from, std::size_t size) {
    if (error == std::errc::connection_refused) return break_off();
    context_.datagrams.drops.dropped(drop_for(error), from, std::to_string(size) + " bytes to " + proxies_.name);
}

/// The proxy's port is closed. Later: the batch may still hold something for this socket.
void ProxyAssociation::break_off() {
    asio::post(context_.executor, [self = shared_from_this()] { self->end(pause_after_failure); });
}

void ProxyAssociation::end(Clock::duration pause) {
    if (state_ == State::over) return;
    retry_at_ = Clock::now() + pause;
    close();
}

void ProxyAssociation::close() {
    state_ = State::over;
    forget_waiting();
    std::error_code ignored;
    control_.close(ignored);
    if (relay_.is_open()) relay_.close(ignored);
}

} // namespace natctl
