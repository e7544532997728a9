// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "nftctl/base/address.h"
#include "nftctl/base/fd.h"
#include "nftctl/site/site.h"

namespace natctl {

// Knocking at other machines, each knock with a deadline. What they answer, and whether they do, is a value.

using Deadline = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::duration<double, std::milli>;

struct Knock {
    /// 0: answered. An errno: ETIMEDOUT when nothing came before the deadline, ECONNREFUSED, EHOSTUNREACH ...
    int error = 0;
    Milliseconds took{};
};

/// A TCP connection, `socket` when it was made. Throws SystemError where this machine has no socket to give.
struct TcpKnock : Knock {
    Fd socket;
};
TcpKnock knock_tcp(const Endpoint& at, Deadline deadline);

/// One ICMP echo request (RFC 792, RFC 4443). Needs CAP_NET_RAW; throws SystemError without.
Knock knock_echo(const Address& target, Deadline deadline);

/// A SOCKS5 proxy (RFC 1928), asked over a connection to it.
class SocksKnock {
public:
    explicit SocksKnock(Fd socket) : socket_(std::move(socket)) {}

    /// What is wrong with the proxy or the credentials; empty: it greets and takes them.
    std::string greet(const std::optional<Credentials>& credentials, Deadline deadline);

    struct Reply {
        /// RFC 1928, section 6: 0 succeeded, 5 refused ...; absent when the proxy did not answer in time or hung up.
        std::optional<std::uint8_t> code;
        Milliseconds took{};
    };
    /// Asks for a connection; after greet().
    Reply connect(const Endpoint& destination, Deadline deadline);

    /// Whether the connection is closed or reset within `patience`, as proxies do that say yes before they know.
    bool closes_within(Milliseconds patience);

private:
    bool send(const std::string& bytes);
    /// Fewer bytes than wanted: the end, an error or the deadline came first.
    std::string receive(std::size_t wanted, Deadline deadline);

    Fd socket_;
};

/// "connection refused", of RFC 1928's reply codes.
const char* socks_reply_text(std::uint8_t code);

} // namespace natctl
