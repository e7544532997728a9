// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nftctl/base/address.h"

namespace natctl {

/// Of flows that go the same way; bytes are those of the flows, without what carries them.
struct WayTraffic {
    std::uint64_t open = 0;
    std::uint64_t ended = 0;
    std::uint64_t bytes_to_far = 0;
    std::uint64_t bytes_to_client = 0;
    /// Bytes.
    std::uint64_t to_far_per_second = 0;
    std::uint64_t to_client_per_second = 0;

    void operator+=(const WayTraffic& other) {
        open += other.open;
        ended += other.ended;
        bytes_to_far += other.bytes_to_far;
        bytes_to_client += other.bytes_to_client;
    }
    bool operator==(const WayTraffic&) const = default;
};

/// Of all threads, as they follow from `flows` in site.toml or from the limit of open files.
struct LimitStatus {
    std::size_t flows = 0;
    std::size_t associations = 0;
    std::size_t pipes = 0;
    std::size_t pipe_bytes = 0;
    std::size_t waiting_bytes = 0;
    std::size_t warm_connections = 0;
    std::size_t descriptors = 0;
};

/// By the way that they go: "peer b by socks5 127.0.0.1:1080", "direct"; for UDP "peer b".
using TrafficByWay = std::map<std::string, WayTraffic>;

struct ProxyStatus {
    Endpoint server;
    bool up;
    std::chrono::seconds since;
    /// While it is down.
    std::string cause;
};

struct FailureCount {
    std::string way;
    std::string cause;
    std::uint64_t count;
};

/// Datagrams that were not passed on, by cause.
using DropCounts = std::map<std::string, std::uint64_t>;

/// What the tunnel does at one moment.
struct Status {
    TrafficByWay tcp;
    TrafficByWay udp;
    std::vector<ProxyStatus> proxies;
    std::vector<FailureCount> failures;
    DropCounts drops;
    LimitStatus limits;
};

void add(TrafficByWay& sum, const TrafficByWay& more);

/// Fills in the rates: what has moved since `before`, which was `seconds` ago.
void add_rates(Status& now, const Status& before, double seconds);

/// One line of JSON with a line break. `version` grows when a reader of the former one would be misled.
std::string to_json(const Status& status);

} // namespace natctl
