// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <functional>

#include "nftctl/base/address.h"
#include "tunnel/datagram_batch.h"
#include "tunnel/socks5.h"

namespace natctl {

/// A way for the datagrams of one client, there and back.
class DatagramPath {
public:
    using Clock = std::chrono::steady_clock;
    /// A datagram that came from `origin`. The batch is flushed afterwards.
    using Deliver = std::function<void(const Endpoint& origin, DatagramView payload)>;

    virtual ~DatagramPath() = default;
    /// To be called once.
    virtual void start() = 0;
    /// `payload` must stay until the batch is flushed.
    virtual void send(const socks5::Destination& to, DatagramView payload) = 0;
    /// Nothing is delivered afterwards.
    virtual void close() = 0;
    /// It has ended; another one may be tried from retry_at() on.
    virtual bool is_over() const = 0;
    virtual Clock::time_point retry_at() const = 0;
};

} // namespace natctl
