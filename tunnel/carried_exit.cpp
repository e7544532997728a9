// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/carried_exit.h"

#include <string>
#include <utility>

#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "nftctl/socket/socket_address.h"
#include "tunnel/datagram_socket.h"
#include "tunnel/socket.h"
#include "tunnel/spawn.h"

namespace natctl {

CarriedExit::CarriedExit(Context& context, std::shared_ptr<const Settings> settings, const Carrier& carrier,
                         const Endpoint& source, Deliver deliver)
    : context_(context),
      settings_(std::move(settings)),
      carrier_(carrier),
      source_(source),
      deliver_(std::move(deliver)),
      slot_(context.datagrams),
      socket_(context.executor) {}

void CarriedExit::start() {
    try {
        Fd fd = open_datagram_socket(Family::ipv4, settings_->bypass_mark);
        const SocketAddress any(Endpoint{Address::v4(0), 0});
        check(::bind(fd.get(), any.data(), any.size()), "bind", "a UDP socket");
        socket_.assign(fd.release());
        spawn(context_.executor, read());
    } catch (const SystemError& error) {
        context_.datagrams.drops.dropped(Drop::failed, source_, error.what());
        retry_at_ = Clock::now() + std::chrono::seconds(1);
        over_ = true;
    }
}

asio::awaitable<void> CarriedExit::read() {
    const auto self = shared_from_this();
    while (!over_) {
        const auto [error] = co_await socket_.async_wait(asio::posix::descriptor_base::wait_read, awaiting);
        if (error || over_) co_return;
        receive_all();
    }
}

void CarriedExit::receive_all() {
    context_.datagrams.take_waiting(socket_, [this](const Datagram& datagram) {
        if (const auto name = carrier_.name_of(datagram.from.address))
            deliver_({*name, datagram.from.port}, datagram.payload);
        else
            context_.datagrams.drops.dropped(Drop::stranger, datagram.from);
    });
}

void CarriedExit::send(const socks5::Destination& to, DatagramView payload) {
    DatagramContext& datagrams = context_.datagrams;
    if (over_) return datagrams.drops.dropped(Drop::failed, source_);
    const auto real = to.address() ? settings_->directory->carried_endpoint({*to.address(), to.port}) : std::nullopt;
    if (!real) return datagrams.drops.dropped(Drop::not_allowed, source_, to.text());
    datagrams.out.add(socket_.native_handle(), *real, {}, payload, source_, *this);
}

void CarriedExit::not_sent(std::error_code error, const Endpoint& from, std::size_t size) {
    context_.datagrams.drops.dropped(drop_for(error), from, std::to_string(size) + " bytes, " + error.message());
}

void CarriedExit::close() {
    over_ = true;
    std::error_code ignored;
    if (socket_.is_open()) socket_.close(ignored);
}

} // namespace natctl
