// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>

#include "tunnel/access.h"
#include "tunnel/context.h"
#include "tunnel/datagram_context.h"
#include "tunnel/datagram_path.h"
#include "tunnel/socket.h"

namespace natctl {

/// The server's side of a UDP association (RFC 1928, section 7). Takes datagrams from the address of the client's
/// connection alone, and from the first port there that sends a good one. They leave by one socket a family, to which
/// any host that the client may talk to can answer (full cone).
class ServedAssociation final : public SendFailures, public std::enable_shared_from_this<ServedAssociation> {
public:
    /// `listener` belongs to `settings`. `client` is where its connection comes from.
    ServedAssociation(Context& context, std::shared_ptr<const Settings> settings, const Listener& listener,
                      const Endpoint& client);

    /// Where the client is to send to, on the address `local`. Throws SystemError.
    Endpoint open(const Address& local);
    /// Works until close(), or until nothing has moved for too long: then `control` is closed, which must outlive it.
    void start(tcp::socket& control);
    void close();

    void not_sent(std::error_code error, const Endpoint& from, std::size_t size) override;

private:
    using Clock = std::chrono::steady_clock;
    /// The route of a peer, or none: without any peer.
    using Way = std::optional<std::size_t>;
    static constexpr std::nullopt_t directly = std::nullopt;

    asio::awaitable<void> read_client();
    asio::awaitable<void> read_exit(Family family);
    asio::awaitable<void> watch_idle(tcp::socket& control);
    void from_client(const Datagram& datagram);
    bool is_client(const Endpoint& from);
    const Decision& decide(const socks5::Destination& destination);
    void send_direct(const Endpoint& to, DatagramView payload);
    void send_by_peer(std::size_t route, const socks5::Destination& to, DatagramView payload);
    void send_carried(const Carrier& carrier, const socks5::Destination& to, DatagramView payload);
    void to_client(const Endpoint& origin, DatagramView payload, Way way);
    WayTraffic& traffic(Way way);
    asio::posix::stream_descriptor& exit(Family family) { return exits_[static_cast<std::size_t>(family)]; }

    Context& context_;
    std::shared_ptr<const Settings> settings_;
    const Access& access_;
    Endpoint client_;
    DatagramContext::Slot slot_;
    bool open_ = true;
    /// The client's port is known, and the socket is connected to it.
    bool has_client_ = false;
    Clock::time_point active_ = Clock::now();
    asio::posix::stream_descriptor relay_;
    std::array<asio::posix::stream_descriptor, 2> exits_;
    asio::steady_timer idle_timer_;
    /// By the index of the peer.
    std::map<std::size_t, std::shared_ptr<DatagramPath>> peers_;
    /// To an own prefix that carries IPv4 addresses.
    std::shared_ptr<DatagramPath> carried_;
    /// In the context, by way.
    std::map<Way, WayTraffic*> traffic_;
    std::optional<socks5::Destination> decided_for_;
    Decision decision_;
};

/// Answers a client's request for an association and keeps it for as long as the connection stands.
asio::awaitable<void> serve_association(Context& context, std::shared_ptr<const Settings> settings,
                                        const Listener& listener, tcp::socket& client, Endpoint source);

} // namespace natctl
