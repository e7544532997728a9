// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "nftctl/kernel/netlink.h"
#include "nftctl/plan/connection.h"

namespace natctl {

/// The kernel's connection tracking, of the network namespace that the calling thread is in at construction.
class Conntrack {
public:
    using Wanted = std::function<bool(const Connection&)>;

    Conntrack();

    /// The entries that are in at least one of the filters and wanted. One that is in several may come several times.
    /// With several filters `wanted` is called from several threads at once. Throws SystemError.
    std::vector<Connection> find(std::span<const ConnectionFilter> filters, const Wanted& wanted);

    /// How many entries there are in this network namespace; nullopt: the kernel does not say. Costs no walk, which
    /// goes through the table of all namespaces even when there is nothing in this one.
    std::optional<std::uint32_t> count();

    /// Deletes these entries, and no later ones with the same tuples. Returns how many were still there.
    std::size_t remove(std::span<const Connection> connections);

private:
    /// Each dump walks the whole table of the kernel, which takes longer than anything else here. More would wait: the
    /// kernel begins a dump only when the one before has filled its first message or found nothing (nfnl_lock() in
    /// net/netfilter/nfnetlink.c).
    static constexpr std::size_t most_walkers = 3;

    std::array<netlink::Socket, most_walkers> sockets_;
};

} // namespace natctl
