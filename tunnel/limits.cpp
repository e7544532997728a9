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
/// Bytes that may lie in pipes, because their readers are slow: on average over all flows. A flow that gets no pipe is
/// copied, and leaves in its socket what does not go on.
constexpr std::size_t pipe_bytes_a_flow = std::size_t{16} << 10;
constexpr std::size_t fewest_pipe_bytes = std::size_t{4} << 20;
/// Of datagrams that wait until an association is there.
constexpr std::size_t waiting_bytes_an_association = std::size_t{8} << 10;
constexpr std::size_t fewest_waiting_bytes = std::size_t{1} << 20;
/// Descriptors that are left for pipes and UDP however many flows are wanted.
constexpr std::size_t least_beside_flows = 64;
/// More would be opened for nothing when a burst of flows has passed.
constexpr std::size_t most_warm = 64;

std::size_t reserved_for(std::size_t threads) { return base_descriptors + thread_descriptors * threads; }

std::size_t share_of(std::size_t flows, std::size_t threads) { return (flows + threads - 1) / threads; }

} // namespace

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
}

std::size_t descriptors_for(std::size_t flows, std::size_t threads) {
    return reserved_for(threads) + threads * share_of(flows, threads) * 4;
}

WorkerLimits share_limits(std::size_t descriptors, std::size_t threads, std::size_t flows) {
    const std::size_t reserved = reserved_for(threads);
    const std::size_t usable = std::min(descriptors, most_descriptors);
    const std::size_t share = usable > reserved ? (usable - reserved) / threads : 0;
    const std::size_t most_flows = (share - std::min(share, least_beside_flows)) / 2;
    WorkerLimits limits;
    limits.max_flows = std::max({fewest_flows, share / 4, std::min(share_of(flows, threads), most_flows)});
    // For pipes and warm connections, and the same for UDP.
    const std::size_t quarter = (share - std::min(share, 2 * limits.max_flows)) / 2;
    limits.max_warm = std::min(quarter / 8, most_warm);
    const std::size_t pipe_bytes = std::max(fewest_pipe_bytes, limits.max_flows * pipe_bytes_a_flow);
    limits.max_pipes = std::clamp((quarter - limits.max_warm) / 2, fewest_pipes,
                                  std::max(fewest_pipes, pipe_bytes / limits.pipe_size));
    limits.max_reply_sockets = std::clamp(quarter / 4, fewest_reply_sockets, limits.max_reply_sockets);
    const std::size_t left = quarter - std::min(quarter, limits.max_reply_sockets);
    limits.max_associations = std::max(fewest_associations, left / 2);
    limits.max_waiting_bytes = std::max(fewest_waiting_bytes, limits.max_associations * waiting_bytes_an_association);
    // At most half of the flows are strangers: the others are past that.
    limits.max_strangers = std::clamp(limits.max_flows / 2, std::size_t{2}, limits.max_strangers);
    return limits;
}

LimitStatus sum_of(const WorkerLimits& limits, std::size_t threads) {
    return {.flows = threads * limits.max_flows,
            .associations = threads * limits.max_associations,
            .pipes = threads * limits.max_pipes,
            .pipe_bytes =
                threads * (limits.max_pipes * limits.pipe_size +
                           std::min(limits.max_large_pipes, limits.max_pipes) * (large_pipe - limits.pipe_size)),
            .waiting_bytes = threads * limits.max_waiting_bytes,
            .warm_connections = threads * limits.max_warm,
            .descriptors = threads * (2 * (limits.max_flows + limits.max_pipes + limits.max_associations) +
                                      limits.max_reply_sockets + limits.max_warm) +
                           reserved_for(threads)};
}

} // namespace natctl
