// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/echo_translator.h"

#include <string>
#include <utility>

#include <spdlog/spdlog.h>

#include "nftctl/base/error.h"
#include "tunnel/echo_sockets.h"
#include "tunnel/send_from.h"
#include "tunnel/socket.h"
#include "tunnel/spawn.h"
#include "tunnel/special_addresses.h"

namespace natctl {

namespace {

/// Few, so that a flood leaves most of the thread's time to others.
constexpr int batches_per_turn = 2;

void close(std::shared_ptr<asio::posix::stream_descriptor>& socket) {
    std::error_code ignored;
    if (socket) socket->close(ignored);
    socket.reset();
}

} // namespace

void EchoTranslator::reload() {
    const Settings& settings = *context_.settings;
    std::optional<Marks> wanted;
    if (settings.embedded_port != 0) wanted = Marks{settings.tunnel_mark, settings.bypass_mark};
    if (wanted == marks_) return;
    stop();
    if (!wanted) return;
    try {
        open(*wanted);
        marks_ = wanted;
    } catch (const SystemError& error) {
        spdlog::warn("pings to prefixes that carry IPv4 addresses stay unanswered: {}", error.what());
    }
}

void EchoTranslator::open(const Marks& marks) {
    Fd requests6 = open_request6_socket(marks.handed_over, marks.bypass);
    Fd replies4 = open_reply4_socket(marks.bypass);
    requests6_ = std::make_shared<Socket>(context_.executor, requests6.release());
    replies4_ = std::make_shared<Socket>(context_.executor, replies4.release());
    spawn(context_.executor, serve(requests6_, &EchoTranslator::pass_on));
    spawn(context_.executor, serve(replies4_, &EchoTranslator::pass_back));
}

void EchoTranslator::stop() {
    close(requests6_);
    close(replies4_);
    marks_.reset();
}

asio::awaitable<void> EchoTranslator::serve(std::shared_ptr<Socket> socket, Handler handle) {
    while (socket->is_open()) {
        const auto [error] = co_await socket->async_wait(asio::posix::descriptor_base::wait_read, awaiting);
        if (error || !socket->is_open()) co_return;
        receive_all(*socket, handle);
    }
}

void EchoTranslator::receive_all(Socket& socket, Handler handle) {
    now_ = Clock::now();
    context_.datagrams.take_waiting(
        socket, [&](const Datagram& datagram) { (this->*handle)(datagram); }, batches_per_turn);
}

void EchoTranslator::pass_on(const Datagram& request) {
    DropLog& drops = context_.datagrams.drops;
    const Address& asker = request.from.address;
    if (!rate_.allow(now_)) return drops.dropped_echo(Drop::too_many, asker);
    const auto message = echo::parse_request6(request.payload);
    if (!message || !request.original) return drops.dropped_echo(Drop::malformed, asker);
    // The answer to a link-local address would need an interface.
    if (asker.family() != Family::ipv6 || is_special(asker)) return drops.dropped_echo(Drop::stranger, asker);
    const Address& asked = request.original->address;
    const auto host = context_.settings->directory->carried_host(asked);
    if (!host) return drops.dropped_echo(Drop::not_carried, asker, asked.text());
    const echo::Message ours{flows_.identifier_for({asker, asked, message->identifier}, now_), message->sequence,
                             message->data};
    context_.datagrams.out.add(replies4_->native_handle(), Endpoint{*host, 0}, echo::request4(ours), ours.data,
                               request.from, *this, Joining::never);
}

void EchoTranslator::pass_back(const Datagram& reply) {
    const auto message = echo::parse_reply4(reply.payload);
    // Replies to others who ping from this machine are seen here too.
    const EchoFlow* flow = message ? flows_.find(message->identifier) : nullptr;
    if (!flow || context_.settings->directory->carried_host(flow->asked) != reply.from.address) return;
    const echo::Message theirs{flow->identifier, message->sequence, message->data};
    const auto error =
        send_from(requests6_->native_handle(), flow->asked, flow->asker, echo::reply6(theirs), theirs.data);
    if (error) context_.datagrams.drops.dropped_echo(drop_for(error), flow->asker, "the reply, " + error.message());
}

void EchoTranslator::not_sent(std::error_code error, const Endpoint& from, std::size_t size) {
    context_.datagrams.drops.dropped_echo(drop_for(error), from.address,
                                          std::to_string(size) + " bytes, " + error.message());
}

} // namespace natctl
