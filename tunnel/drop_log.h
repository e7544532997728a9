// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "nftctl/base/address.h"
#include "tunnel/status.h"

namespace natctl {

/// Why a datagram was not passed on.
enum class Drop : std::uint8_t {
    /// With the header of SOCKS5 it no longer fits into one datagram.
    too_large,
    /// The socket's buffer is full.
    no_room,
    /// Too many wait for the proxy's answer.
    waiting,
    /// No more associations, or the proxy refused one a moment ago.
    no_association,
    malformed,
    /// Fragments of SOCKS5 are not put together (RFC 1928 leaves that open).
    fragment,
    /// Comes from an address that has no business here.
    stranger,
    not_allowed,
    /// A prefix that carries IPv4 addresses, and one of them that its map does not list.
    not_carried,
    /// Echo requests beyond what one moment may bring.
    too_many,
    /// The system did not send it.
    failed,
};

inline constexpr std::size_t drop_kinds = 11;

/// In words, and what to do about it; the second may be empty.
std::pair<std::string_view, std::string_view> text(Drop drop);

/// Of a send() that failed.
Drop drop_for(const std::error_code& error);

/// Counts the datagrams and echo requests that were dropped, by cause, and says so in the log: at most a line in ten
/// seconds a cause. Of one thread.
class DropLog {
public:
    using Clock = std::chrono::steady_clock;

    /// `detail`, when not empty, comes after the cause.
    void dropped(Drop drop, const Endpoint& from, const std::string& detail = {});
    void dropped_echo(Drop drop, const Address& asker, const std::string& detail = {});
    /// Of all causes that there were, in words.
    DropCounts counts() const;
    std::uint64_t count(Drop drop) const { return kinds_[static_cast<std::size_t>(drop)].count; }

private:
    /// Counts it. When a line is due: how many were not logged since the last one.
    std::optional<std::uint64_t> note(Drop drop);

    struct Kind {
        std::uint64_t count = 0;
        std::uint64_t logged = 0;
        Clock::time_point next{};
    };
    std::array<Kind, drop_kinds> kinds_{};
};

} // namespace natctl
