// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/limits.h"

#include <algorithm>

#include <sys/resource.h>

namespace natctl {

namespace {

/// Descriptors that are neither flows nor pipes: standard streams, loops, listeners, files read at a reload.
constexpr std::size_t base_descriptors = 32;
constexpr std::size_t thread_descriptors = 16;
/// Containers like to set the limit to 2^30; what it costs to have so many flows is bounded here.
constexpr std::size_t most_descriptors = std::size_t{1} << 20;

constexpr std::size_t fewest_flows = 4;
constexpr std::size_t fewest_pipes = 2;
constexpr std::size_t fewest_associations = 2;
constexpr std::size_t fewest_reply_sockets = 2;
/// More would be opened for nothing when a burst of flows has passed.
constexpr std::size_t most_warm = 64;

} // namespace

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

WorkerLimits share_limits(std::size_t descriptors, std::size_t threads) {
    const std::size_t reserved = base_descriptors + thread_descriptors * threads;
    const std::size_t usable = std::min(descriptors, most_descriptors);
    const std::size_t share = usable > reserved ? (usable - reserved) / threads : 0;
    WorkerLimits limits;
    limits.max_warm = std::min(share / 32, most_warm);
    limits.max_pipes = std::max(fewest_pipes, (share / 4 - limits.max_warm) / 2);
    limits.max_flows = std::max(fewest_flows, share / 2 / 2);
    limits.max_reply_sockets = std::clamp(share / 16, fewest_reply_sockets, limits.max_reply_sockets);
    const std::size_t left = share / 4 > limits.max_reply_sockets ? share / 4 - limits.max_reply_sockets : 0;
    limits.max_associations = std::max(fewest_associations, left / 2);
    // At most half of the flows are strangers: the others are past that.
    limits.max_strangers = std::clamp(limits.max_flows / 2, std::size_t{2}, limits.max_strangers);
    return limits;
}

} // namespace natctl
