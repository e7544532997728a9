// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include <sys/socket.h>

#include "nftctl/base/address.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

using DatagramView = std::span<const std::uint8_t>;

/// The most payload a UDP datagram over IPv4 can have.
inline constexpr std::size_t largest_datagram = 65507;

struct Datagram {
    Endpoint from;
    /// Where it was sent to, on sockets with IP_RECVORIGDSTADDR or IPV6_RECVORIGDSTADDR; on those with
    /// IPV6_RECVPKTINFO without the port.
    std::optional<Endpoint> original;
    DatagramView payload;
};

/// What one system call brought. One serves all sockets of a thread: contents last until the next receive(). Of sockets
/// with UDP_GRO (udp(7)) many datagrams come in one piece, which is taken apart here.
class ReceiveBatch {
public:
    static constexpr std::size_t capacity = 32;

    ReceiveBatch();
    ~ReceiveBatch();
    ReceiveBatch(const ReceiveBatch&) = delete;
    ReceiveBatch& operator=(const ReceiveBatch&) = delete;

    /// What waits at the socket, without waiting for more: EAGAIN when that is nothing.
    std::error_code receive(int fd);
    std::span<const Datagram> datagrams() const { return datagrams_; }
    /// There may be more at the socket.
    bool is_full() const { return full_; }

private:
    struct Slots;
    std::unique_ptr<Slots> slots_;
    std::vector<Datagram> datagrams_;
    bool full_ = false;
};

/// Hears of datagrams that could not be sent.
class SendFailures {
public:
    virtual void not_sent(std::error_code error, const Endpoint& from, std::size_t size) = 0;

protected:
    ~SendFailures() = default;
};

/// Whether the kernel may take several datagrams of a socket in one piece. It knows how to part UDP again; of a raw
/// socket they would leave as one packet, without an error.
enum class Joining : std::uint8_t { udp, never };

/// Collects datagrams and sends those of one socket with one system call. Those of one size to one destination go
/// through the kernel in one piece (UDP_SEGMENT, udp(7)), where it and the way there allow that. What does not go out
/// at once is dropped, as routers do; `failures` hears of it.
class SendBatch {
public:
    /// The kernel takes as many in a piece (UDP_MAX_SEGMENTS of Linux before 6.9).
    static constexpr std::size_t capacity = 64;

    SendBatch();
    ~SendBatch();
    SendBatch(const SendBatch&) = delete;
    SendBatch& operator=(const SendBatch&) = delete;

    /// `to` empty: the socket is connected. `payload` and `failures` must stay until flush(), which may happen here;
    /// `from` is for messages.
    void add(int fd, const std::optional<Endpoint>& to, DatagramView header, DatagramView payload, const Endpoint& from,
             SendFailures& failures, Joining joining = Joining::udp);
    void flush();

private:
    struct Slots;

    std::size_t arrange(std::size_t first, bool in_pieces);
    std::size_t piece_from(std::size_t first) const;
    void fail(std::size_t message, const std::error_code& error);

    std::unique_ptr<Slots> slots_;
    int fd_ = -1;
    Joining joining_ = Joining::udp;
    std::size_t count_ = 0;
};

} // namespace natctl
