// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace natctl {

/// What natctl-tunnel tells of itself (tunnel/status.h), as far as the agent shows it.
struct TunnelReport {
    /// Flows that go the same way.
    struct Way {
        /// "tcp" or "udp"
        std::string protocol;
        /// "peer b by socks5 127.0.0.1:1080", "direct"
        std::string way;
        std::uint64_t open = 0;
        std::uint64_t ended = 0;
        std::uint64_t bytes_to_far = 0;
        std::uint64_t bytes_to_client = 0;
        /// Bytes.
        std::uint64_t to_far_per_second = 0;
        std::uint64_t to_client_per_second = 0;
    };
    struct Proxy {
        /// As in site.toml: "127.0.0.1:1080".
        std::string server;
        bool up = false;
        std::uint64_t seconds = 0;
        /// While it is down.
        std::string cause;
    };
    struct Failure {
        std::string way;
        std::string cause;
        std::uint64_t count = 0;
    };
    struct Drop {
        std::string cause;
        std::uint64_t count = 0;
    };

    std::vector<Way> ways;
    std::vector<Proxy> proxies;
    std::vector<Failure> failures;
    std::vector<Drop> drops;
    /// By name.
    std::vector<std::pair<std::string, std::uint64_t>> limits;

    /// nullptr: it knows none there.
    const Proxy* find_proxy(std::string_view server) const;
};

/// nullopt: another program or release wrote this.
std::optional<TunnelReport> read_tunnel_report(std::string_view text);

} // namespace natctl
