// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "agent/link_health.h"
#include "agent/loop.h"
#include "agent/told_once.h"
#include "nftctl/base/fd.h"

namespace natctl {

/// Pings through interfaces, whatever the routes say, and hears the answers. Needs CAP_NET_RAW.
class LinkProber {
public:
    using Answered = std::function<void(const PeerLink&)>;

    LinkProber(Loop& loop, Answered answered);
    ~LinkProber();
    LinkProber(const LinkProber&) = delete;
    LinkProber& operator=(const LinkProber&) = delete;

    /// False: there is no socket for it, which says nothing of the link. What the network refused will not be answered
    /// either.
    bool send(const LinkHealth::Probe& probe);

    /// Why there are no probes of one kind, once; empty: there are.
    std::string take_failure();

private:
    static constexpr std::size_t secret_size = 8;

    struct Asked {
        PeerLink link;
        Address target;
    };

    const Fd* socket_for(Family family);
    void receive(Family family);

    Loop& loop_;
    Answered answered_;
    /// IPv4, IPv6; opened when they are needed.
    std::array<Fd, 2> sockets_;
    /// So that nobody else can make up an answer. Sent in each probe, with the number of the link.
    std::array<std::uint8_t, secret_size> secret_{};
    std::uint16_t sequence_ = 0;
    std::map<PeerLink, std::uint32_t> numbers_;
    std::map<std::uint32_t, Asked> asked_;
    /// By family: when to try again to open a socket.
    std::array<Loop::Clock::time_point, 2> not_before_{};
    std::array<ToldOnce, 2> failures_;
};

} // namespace natctl
