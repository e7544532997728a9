// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <set>

#include <asio/awaitable.hpp>

#include "tunnel/context.h"

namespace natctl {

/// Asks proxies that nobody has spoken with for a while whether they answer, and finds out about their manners. One
/// for all threads.
class ProxyProber {
public:
    explicit ProxyProber(Context& context) : context_(context) {}
    ProxyProber(const ProxyProber&) = delete;
    ProxyProber& operator=(const ProxyProber&) = delete;

    /// To be called about once a second.
    void tick(ProxyHealth::Clock::time_point now);

private:
    asio::awaitable<void> probe(std::shared_ptr<const Settings> settings, const Proxy& proxy);
    asio::awaitable<void> try_out(std::shared_ptr<const Settings> settings, const Proxy& proxy);

    Context& context_;
    /// A proxy that is slow to answer is asked once at a time.
    std::set<std::shared_ptr<ProxyHealth>> running_;
};

} // namespace natctl
