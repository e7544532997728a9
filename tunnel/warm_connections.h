// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <asio/awaitable.hpp>

#include "nftctl/base/fd.h"
#include "tunnel/proxy_health.h"
#include "tunnel/settings.h"
#include "tunnel/socket.h"
#include "tunnel/warm_supply.h"

namespace natctl {

struct Context;

/// Connections to proxies that are greeted and wait for a request, so that a flow needs one round trip to be opened.
/// They are plain descriptors while they wait, and are looked at once a second: one that the proxy closed is replaced,
/// as is one that becomes old. Of one thread.
class WarmConnections {
public:
    using Clock = std::chrono::steady_clock;

    /// `most`: to all proxies together, waiting and being made. 0: none at all.
    explicit WarmConnections(std::size_t most) : most_(most) {}
    ~WarmConnections() { close(); }
    WarmConnections(const WarmConnections&) = delete;
    WarmConnections& operator=(const WarmConnections&) = delete;

    bool is_on() const { return most_ > 0; }
    /// One that stood a moment ago, and has another one made. The proxy may hang up at any time: whoever gets no
    /// answer tells so by distrust() and makes a new connection.
    std::optional<tcp::socket> take(Context& context, const Proxy& proxy);
    /// The others to this proxy are no better.
    void distrust(const Proxy& proxy);

    /// To be called about once a second.
    void tick(Context& context, Clock::time_point now);
    /// Keeps none from now on.
    void close();
    /// Waiting ones.
    std::size_t size() const;

private:
    struct Waiting {
        Fd fd;
        Clock::time_point since;
    };
    struct Pool {
        WarmSupply supply;
        /// Oldest first.
        std::vector<Waiting> waiting;
        std::size_t opening = 0;
    };
    class Opening;

    void look_at(Pool& pool, Clock::time_point now);
    void fill(Context& context, const Proxy& proxy, Pool& pool, Clock::time_point now);
    asio::awaitable<void> open(Context& context, std::shared_ptr<const Settings> settings, Proxy proxy,
                               std::unique_ptr<Opening> opening);

    std::size_t most_;
    std::size_t all_ = 0;
    /// SO_MARK of those that wait.
    std::optional<std::uint32_t> mark_;
    /// A proxy has the same health under any settings.
    std::map<std::shared_ptr<ProxyHealth>, Pool> pools_;
};

} // namespace natctl
