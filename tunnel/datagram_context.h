// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <system_error>

#include "tunnel/datagram_batch.h"
#include "tunnel/drop_log.h"
#include "tunnel/reply_sockets.h"
#include "tunnel/status.h"

namespace natctl {

/// What the UDP of one thread shares.
struct DatagramContext {
    DatagramContext(std::size_t association_limit, std::size_t reply_sockets,
                    std::size_t waiting_limit = std::size_t{16} << 20)
        : replies(out, drops, reply_sockets),
          max_associations(association_limit),
          max_waiting_bytes(waiting_limit) {}

    ReceiveBatch in;
    SendBatch out;
    DropLog drops;
    ReplySockets replies;
    /// Associations that exist, with proxies and with clients of our own server.
    std::size_t associations = 0;
    std::size_t max_associations;
    /// Of datagrams that wait until an association is there.
    std::size_t waiting_bytes = 0;
    std::size_t max_waiting_bytes;
    /// What clients of our own server send and hear, by the ways that their associations use.
    TrafficByWay served;

    /// Counts an association for as long as it lives.
    class Slot {
    public:
        explicit Slot(DatagramContext& context) : context_(context) { ++context_.associations; }
        ~Slot() { --context_.associations; }
        Slot(const Slot&) = delete;
        Slot& operator=(const Slot&) = delete;

    private:
        DatagramContext& context_;
    };
    bool has_room() const { return associations < max_associations; }

    /// Hands over what waits at `socket` and sends what that led to. A few batches at most, so that other sockets have
    /// their turn. The error that receiving ended with: EAGAIN when nothing was left, none when there may be more.
    template <class Socket, class Take>
    std::error_code take_waiting(Socket& socket, const Take& take, int batches = 8) {
        for (; batches > 0; --batches) {
            // Asked anew each time: what was taken may have led to its end.
            if (const auto error = in.receive(socket.native_handle())) return error;
            for (const Datagram& datagram : in.datagrams()) take(datagram);
            out.flush();
            if (!in.is_full()) break;
        }
        return {};
    }
};

} // namespace natctl
