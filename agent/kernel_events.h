// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/reconcile.h"
#include "nftctl/kernel/event_socket.h"

namespace natctl {

/// What happened in the kernel, and whose doing it was.
struct KernelEvent {
    Cause cause;
    /// "nft (process 4711)"; empty where the kernel does not say.
    std::string by = {};
    /// The interface, address or route, where there is something to say: "ppp0".
    std::string what = {};
};

/// Interfaces, addresses, and those of the routes and policy rules that are ours and went.
class RouteEvents {
public:
    RouteEvents();
    int fd() const { return socket_.fd(); }
    std::vector<KernelEvent> take();

private:
    void take_link(const nlmsghdr& message, std::vector<KernelEvent>& events);

    netlink::EventSocket socket_;
    struct Link {
        std::string name;
        std::uint32_t flags = 0;
        bool operator==(const Link&) const = default;
    };
    /// By index. Interfaces tell of much that is not seen here, of other properties.
    std::map<int, Link> links_;
};

/// Changes of our table that were not made by this process.
class TableEvents {
public:
    TableEvents();
    int fd() const { return socket_.fd(); }
    std::vector<KernelEvent> take();

    /// Generations of nf_tables, first and last of those in which others changed other tables alone, one after the
    /// other, up to the last event that was taken.
    struct Generations {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
    };
    const std::optional<Generations>& foreign() const { return foreign_; }

private:
    void end_transaction(const nlmsghdr& message, std::vector<KernelEvent>& events);

    netlink::EventSocket socket_;
    std::uint32_t own_process_;
    std::optional<Generations> foreign_;
    /// In the transaction whose end has not come yet.
    bool ours_ = false;
};

} // namespace natctl
