// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/proxy_prober.h"

#include <utility>

#include "tunnel/reach_proxy.h"
#include "tunnel/spawn.h"

namespace natctl {

void ProxyProber::tick(ProxyHealth::Clock::time_point now) {
    for (const Proxy& proxy : context_.settings->proxies) {
        if (!running_.contains(proxy.health) && proxy.health->begin_probe(now))
            spawn(context_.executor, probe(context_.settings, proxy));
        if (proxy.health->manners.begin_trial()) spawn(context_.executor, try_out(context_.settings, proxy));
    }
}

asio::awaitable<void> ProxyProber::probe(std::shared_ptr<const Settings> settings, const Proxy& proxy) {
    running_.insert(proxy.health);
    tcp::socket socket(context_.executor);
    co_await greet_proxy_at(context_, *settings, socket, proxy);
    running_.erase(proxy.health);
}

asio::awaitable<void> ProxyProber::try_out(std::shared_ptr<const Settings> settings, const Proxy& proxy) {
    co_await try_manners(context_, *settings, proxy);
}

} // namespace natctl
