// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/proxy_prober.h"

#include <utility>

#include "tunnel/reach_proxy.h"
#include "tunnel/spawn.h"

namespace natctl {

void ProxyProber::tick(ProxyHealth::Clock::time_point now) {
    for (const Proxy& proxy : context_.settings->proxies)
        if (!running_.contains(proxy.health) && proxy.health->begin_probe(now))
            spawn(context_.executor, probe(context_.settings, proxy));
}

asio::awaitable<void> ProxyProber::probe(std::shared_ptr<const Settings> settings, const Proxy& proxy) {
    running_.insert(proxy.health);
    co_await probe_proxy(context_, *settings, proxy);
    running_.erase(proxy.health);
}

} // namespace natctl
