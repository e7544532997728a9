// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>

#include "nftctl/base/address.h"
#include "nftctl/base/fd.h"
#include "tunnel/datagram_batch.h"
#include "tunnel/drop_log.h"

namespace natctl {

/// Sends datagrams under addresses of others: a client must hear from where it wrote to. Of one thread.
///
/// One unconnected socket (IP_TRANSPARENT) for each address and port, the last so many of which are kept: a connected
/// one would take the client's next datagrams from the listener. Where the port cannot be bound, because another
/// program holds it on every address, a raw socket sends.
class ReplySockets final : public SendFailures {
public:
    ReplySockets(SendBatch& out, DropLog& drops, std::size_t max_sockets)
        : out_(out),
          drops_(drops),
          max_sockets_(max_sockets) {}

    /// `payload` must stay until the batch is flushed. `mark` is that of sockets made now.
    void send(const Endpoint& from, const Endpoint& to, DatagramView payload, std::uint32_t mark);
    /// Closes those that rested: until then no other program of this machine can have the port on every address. To be
    /// called about once a second.
    void tick(std::chrono::steady_clock::time_point now);
    std::size_t size() const { return sockets_.size(); }

    void not_sent(std::error_code error, const Endpoint& from, std::size_t size) override;

private:
    struct Socket {
        Endpoint from;
        /// Empty: by the raw socket.
        Fd fd;
        std::chrono::steady_clock::time_point used;
    };
    using Sockets = std::list<Socket>;

    void drop_last();
    Socket& socket_for(const Endpoint& from, std::uint32_t mark);
    Fd open(const Endpoint& from, std::uint32_t mark);
    void send_raw(const Endpoint& from, const Endpoint& to, DatagramView payload, std::uint32_t mark);
    int raw_socket(Family family, std::uint32_t mark);

    SendBatch& out_;
    DropLog& drops_;
    std::size_t max_sockets_;
    /// Of the last tick.
    std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
    /// Used last first.
    Sockets sockets_;
    std::map<Endpoint, Sockets::iterator> by_endpoint_;
    Fd raw4_;
    Fd raw6_;
};

} // namespace natctl
