// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/warm_connections.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <sys/socket.h>

#include "tunnel/context.h"
#include "tunnel/reach_proxy.h"
#include "tunnel/spawn.h"

namespace natctl {

namespace {

/// A proxy that waits for a request says nothing: FIN, an error, and words are all the end of it.
bool stands(const Fd& fd) {
    std::array<std::uint8_t, 1> scrap;
    const ssize_t got = ::recv(fd.get(), scrap.data(), scrap.size(), MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

} // namespace

/// Counts one that is being made.
class WarmConnections::Opening {
public:
    Opening(WarmConnections& owner, std::shared_ptr<ProxyHealth> key, Pool& pool)
        : owner_(owner),
          key_(std::move(key)) {
        ++owner_.all_;
        ++pool.opening;
    }
    ~Opening() {
        --owner_.all_;
        if (const auto pool = owner_.pools_.find(key_); pool != owner_.pools_.end()) --pool->second.opening;
    }
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;

private:
    WarmConnections& owner_;
    std::shared_ptr<ProxyHealth> key_;
};

std::optional<tcp::socket> WarmConnections::take(Context& context, const Proxy& proxy) {
    if (!is_on()) return std::nullopt;
    const auto now = Clock::now();
    Pool& pool = pools_[proxy.health];
    pool.supply.needed(now);
    proxy.health->flow_came(now);
    std::optional<tcp::socket> taken;
    while (!taken && !pool.waiting.empty()) {
        Waiting newest = std::move(pool.waiting.back());
        pool.waiting.pop_back();
        --all_;
        if (!stands(newest.fd)) {
            pool.supply.hung_up(now, now - newest.since);
            continue;
        }
        const bool v6 = proxy.server.address.family() == Family::ipv6;
        taken.emplace(context.executor, v6 ? tcp::v6() : tcp::v4(), newest.fd.release());
    }
    fill(context, proxy, pool, now);
    return taken;
}

void WarmConnections::distrust(const Proxy& proxy) {
    const auto pool = pools_.find(proxy.health);
    if (pool == pools_.end()) return;
    all_ -= pool->second.waiting.size();
    pool->second.waiting.clear();
}

void WarmConnections::tick(Context& context, Clock::time_point now) {
    if (!is_on()) return;
    const auto& proxies = context.settings->proxies;
    const auto mark = context.settings->bypass_mark;
    if (mark_.value_or(mark) != mark)
        for (const Proxy& proxy : proxies) distrust(proxy);
    mark_ = mark;
    // The next flow may come to this thread as well.
    for (const Proxy& proxy : proxies)
        if (const auto last = proxy.health->last_flow()) pools_[proxy.health].supply.remember(*last);
    for (auto next = pools_.begin(); next != pools_.end();) {
        auto& [key, pool] = *next;
        const auto proxy = std::ranges::find(proxies, key, &Proxy::health);
        if (proxy == proxies.end()) {
            all_ -= pool.waiting.size();
            pool.waiting.clear();
        } else {
            pool.supply.tick();
            look_at(pool, now);
            fill(context, *proxy, pool, now);
        }
        const bool in_use = !pool.waiting.empty() || pool.opening > 0;
        next = in_use || proxy != proxies.end() ? std::next(next) : pools_.erase(next);
    }
}

void WarmConnections::look_at(Pool& pool, Clock::time_point now) {
    const std::size_t wanted = pool.supply.wanted(now);
    const std::size_t before = pool.waiting.size();
    std::size_t left = before;
    std::erase_if(pool.waiting, [&](const Waiting& waiting) {
        const auto age = now - waiting.since;
        if (!stands(waiting.fd))
            pool.supply.hung_up(now, age);
        else if (age >= pool.supply.life())
            pool.supply.outlived();
        else if (left <= wanted)
            return false;
        --left;
        return true;
    });
    all_ -= before - pool.waiting.size();
}

void WarmConnections::fill(Context& context, const Proxy& proxy, Pool& pool, Clock::time_point now) {
    if (!proxy.health->is_up()) return;
    const std::size_t wanted = pool.supply.wanted(now);
    // The next one is made before the old one goes.
    const auto lasting = static_cast<std::size_t>(std::ranges::count_if(
        pool.waiting, [&](const Waiting& waiting) { return now - waiting.since < pool.supply.life() * 3 / 4; }));
    while (lasting + pool.opening < wanted && all_ < most_)
        spawn(context.executor,
              open(context, context.settings, proxy, std::make_unique<Opening>(*this, proxy.health, pool)));
}

asio::awaitable<void> WarmConnections::open(Context& context, std::shared_ptr<const Settings> settings, Proxy proxy,
                                            std::unique_ptr<Opening>) {
    tcp::socket socket(context.executor);
    if (!co_await greet_proxy_at(context, *settings, socket, proxy)) co_return;
    const auto pool = pools_.find(proxy.health);
    const bool is_welcome = is_on() && pool != pools_.end() && settings->bypass_mark == context.settings->bypass_mark;
    Fd fd = is_welcome ? release(socket) : Fd();
    if (!fd) co_return;
    pool->second.waiting.push_back({std::move(fd), Clock::now()});
    ++all_;
}

void WarmConnections::close() {
    most_ = 0;
    for (auto& [key, pool] : pools_) {
        all_ -= pool.waiting.size();
        pool.waiting.clear();
    }
}

std::size_t WarmConnections::size() const {
    std::size_t sum = 0;
    for (const auto& [key, pool] : pools_) sum += pool.waiting.size();
    return sum;
}

} // namespace natctl
