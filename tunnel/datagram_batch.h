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
#include "tunnel/socket_address.h"

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

/// What one system call brought. One serves all sockets of a thread: contents last until the next receive().
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

private:
    struct Slots;
    std::unique_ptr<Slots> slots_;
    std::vector<Datagram> datagrams_;
};

/// Hears of datagrams that could not be sent.
class SendFailures {
public:
    virtual void not_sent(std::error_code error, const Endpoint& from, std::size_t size) = 0;

protected:
    ~SendFailures() = default;
};

/// Collects datagrams and sends those of one socket with one system call. What does not go out at once is dropped, as
/// routers do; `failures` hears of it.
class SendBatch {
public:
    static constexpr std::size_t capacity = 32;

    SendBatch();
    ~SendBatch();
    SendBatch(const SendBatch&) = delete;
    SendBatch& operator=(const SendBatch&) = delete;

    /// `to` empty: the socket is connected. `payload` and `failures` must stay until flush(), which may happen here;
    /// `from` is for messages.
    void add(int fd, const std::optional<Endpoint>& to, DatagramView header, DatagramView payload, const Endpoint& from,
             SendFailures& failures);
    void flush();

private:
    struct Slots;
    std::unique_ptr<Slots> slots_;
    int fd_ = -1;
    std::size_t count_ = 0;
};

} // namespace natctl
