// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>

#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "tunnel/carrier.h"
#include "tunnel/context.h"
#include "tunnel/datagram_context.h"
#include "tunnel/datagram_path.h"

namespace natctl {

/// For datagrams to an own IPv6 prefix that carries IPv4 addresses: they leave by one IPv4 socket, to which every host
/// that the prefix names can answer.
class CarriedExit final : public DatagramPath, public SendFailures, public std::enable_shared_from_this<CarriedExit> {
public:
    /// `carrier` belongs to the settings' directory. `source`, the client, is for messages.
    CarriedExit(Context& context, std::shared_ptr<const Settings> settings, const Carrier& carrier,
                const Endpoint& source, Deliver deliver);

    void start() override;
    void send(const socks5::Destination& to, DatagramView payload) override;
    void close() override;
    bool is_over() const override { return over_; }
    Clock::time_point retry_at() const override { return retry_at_; }
    void not_sent(std::error_code error, const Endpoint& from, std::size_t size) override;

private:
    asio::awaitable<void> read();
    void receive_all();

    Context& context_;
    std::shared_ptr<const Settings> settings_;
    const Carrier& carrier_;
    Endpoint source_;
    Deliver deliver_;
    DatagramContext::Slot slot_;
    bool over_ = false;
    Clock::time_point retry_at_;
    asio::posix::stream_descriptor socket_;
};

} // namespace natctl
