// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <netinet/in.h>

#include "nftctl/base/address.h"
#include "nftctl/base/fd.h"

// Plain blocking sockets on loopback for the tunnel's tests. Nothing waits longer than `patience`.
namespace natctl::test {

inline constexpr auto patience = std::chrono::seconds(20);

/// A loopback address that no other test process uses: different for each call.
Address fresh_address();

/// Of an IPv4 endpoint.
sockaddr_in to_sockaddr(const Endpoint& endpoint);

/// How a stream ended.
enum class End { fin, rst, timeout };

class Connection {
public:
    explicit Connection(Fd fd);
    /// Connects; fails the test when that is refused.
    static Connection to(const Endpoint& endpoint);

    void send(std::string_view bytes);
    /// False when the other side is gone.
    bool try_send(std::string_view bytes);
    /// Exactly `count` bytes, or as many as came before the end.
    std::string receive(std::size_t count);
    /// Everything up to the end.
    std::pair<std::string, End> receive_all();
    End wait_for_end() { return receive_all().second; }
    /// Whether something, or the end, can be read within `time`.
    bool readable_within(std::chrono::milliseconds time);

    void send_fin();
    void send_rst();
    void set_buffers(int bytes);
    int fd() const { return fd_.get(); }
    Fd release() { return std::move(fd_); }

private:
    Fd fd_;
};

class TestListener {
public:
    /// On a fresh address.
    TestListener();
    explicit TestListener(const Endpoint& endpoint);

    const Endpoint& endpoint() const { return endpoint_; }
    /// Fails the test when nobody comes.
    Connection accept();
    bool somebody_within(std::chrono::milliseconds time);
    Fd release() { return std::move(fd_); }

private:
    Endpoint endpoint_;
    Fd fd_;
};

/// An address where nothing listens.
Endpoint dead_endpoint();

/// Sends something each way, and checks that it arrives.
void check_talks(Connection& client, Connection& target);

/// The client's FIN arrives, and the target may go on talking after it.
void check_half_closes(Connection& client, Connection& target);

/// Two ends of one TCP connection.
std::pair<Connection, Connection> tcp_pair();

std::size_t open_descriptors();

/// Whether `condition` comes true within `patience`.
bool eventually(const std::function<bool()>& condition);

/// The same for the same seed, different for different ones.
std::string random_bytes(std::size_t count, unsigned seed);

} // namespace natctl::test
