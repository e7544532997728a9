// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "tunnel/context.h"
#include "tunnel/datagram_context.h"
#include "tunnel/datagram_path.h"
#include "tunnel/socket.h"
#include "tunnel/socks5.h"

namespace natctl {

/// Our side of a UDP association with a proxy (RFC 1928, section 7): the connection that keeps it, and the socket that
/// the datagrams go through. It opens by itself; what is sent meanwhile waits, up to a limit. It ends with the
/// connection, and with the first sign that nobody reads at the proxy's port.
class ProxyAssociation final : public DatagramPath,
                               public SendFailures,
                               public std::enable_shared_from_this<ProxyAssociation> {
public:
    /// `route` is an index into the settings' peers. `source`, the client, is for messages.
    ProxyAssociation(Context& context, std::shared_ptr<const Settings> settings, std::size_t route,
                     const Endpoint& source, Deliver deliver);

    void start() override;
    void send(const socks5::Destination& to, DatagramView payload) override;
    void close() override;
    bool is_over() const override { return state_ == State::over; }
    Clock::time_point retry_at() const override { return retry_at_; }

    void not_sent(std::error_code error, const Endpoint& from, std::size_t size) override;

private:
    enum class State : std::uint8_t { opening, open, over };
    /// Cause and remedy.
    using Failure = std::pair<std::string, std::string>;

    asio::awaitable<void> run();
    asio::awaitable<bool> open();
    asio::awaitable<std::optional<Failure>> open_by(const Proxy& proxy, bool is_last);
    asio::awaitable<void> read_relay();
    asio::awaitable<void> wait_for_end();
    void receive_all();
    void deliver(const Datagram& datagram);
    void send_waiting();
    void forget_waiting();
    void end(Clock::duration pause);
    void break_off();

    Context& context_;
    std::shared_ptr<const Settings> settings_;
    const PeerProxies& proxies_;
    Endpoint source_;
    Deliver deliver_;
    DatagramContext::Slot slot_;
    State state_ = State::opening;
    Clock::time_point retry_at_;
    tcp::socket control_;
    asio::posix::stream_descriptor relay_;
    std::deque<std::pair<socks5::Destination, socks5::Bytes>> waiting_;
    std::size_t waiting_bytes_ = 0;
};

} // namespace natctl
