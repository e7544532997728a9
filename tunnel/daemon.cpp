// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/daemon.h"

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <iterator>
#include <mutex>
#include <utility>

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "tunnel/limits.h"

namespace natctl {

namespace {

std::set<ListenerAddress> listener_addresses(const Settings& settings) {
    std::set<ListenerAddress> addresses;
    for (const char* loopback : {"127.0.0.1", "::1"})
        for (const ListenerKind kind : {ListenerKind::transparent, ListenerKind::transparent_udp})
            addresses.insert({kind, {*Address::parse(loopback), settings.transparent_port}});
    if (settings.embedded_port != 0)
        for (const ListenerKind kind : {ListenerKind::transparent, ListenerKind::transparent_udp})
            addresses.insert({kind, {*Address::parse("::1"), settings.embedded_port}});
    // REDIRECT leads to the address of the interface that the client is behind.
    if (settings.redirect_port != 0)
        for (const char* any : {"0.0.0.0", "::"})
            addresses.insert({ListenerKind::redirected, {*Address::parse(any), settings.redirect_port}});
    for (const Listener& listener : settings.listeners) addresses.insert({ListenerKind::proxy, listener.listen});
    return addresses;
}

/// By worker, and within that by address.
using Share = std::vector<std::vector<ListenSocket>>;

/// A machine without IPv6 has no [::1]; `addresses` is left with what was opened.
Share open_all(std::set<ListenerAddress>& addresses, std::size_t workers) {
    Share share(workers);
    for (auto next = addresses.begin(); next != addresses.end();) {
        const ListenerAddress address = *next++;
        try {
            auto sockets = open_listeners(address, workers);
            for (std::size_t i = 0; i < workers; ++i) share[i].push_back(std::move(sockets[i]));
        } catch (const SystemError& error) {
            const bool no_ipv6 = error.error() == EADDRNOTAVAIL || error.error() == EAFNOSUPPORT;
            if (address.endpoint.address.family() != Family::ipv6 || !no_ipv6) throw;
            spdlog::info("this machine has no IPv6: {}", error.what());
            addresses.erase(address);
        }
    }
    return share;
}

/// Better once now than at every flow.
void try_mark(std::uint32_t mark) {
    const Fd socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "create", "a socket"));
    if (mark == 0 || ::setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0) return;
    throw SystemError("mark", "the tunnel's own sockets", errno, "run natctl-tunnel as root or with CAP_NET_ADMIN");
}

} // namespace

Daemon::Daemon(std::shared_ptr<const Settings> settings, std::size_t threads, const WorkerLimits& limits,
               std::function<void()> on_finished)
    : settings_(settings),
      addresses_(listener_addresses(*settings)),
      working_(threads),
      limits_(sum_of(limits, threads)),
      calls_(threads) {
    try_mark(settings->bypass_mark);
    Share share = open_all(addresses_, threads);
    for (auto& listeners : share)
        workers_.push_back(std::make_unique<Worker>(settings, std::move(listeners), limits, log_));
    workers_.front()->translate_echo();
    workers_.front()->probe_proxies();
    for (const auto& worker : workers_)
        threads_.emplace_back([this, &worker = *worker, on_finished] {
            worker.run();
            if (--working_ == 0) on_finished();
        });
}

Daemon::~Daemon() {
    stop();
    for (std::thread& thread : threads_) thread.join();
}

void Daemon::reload(std::shared_ptr<const Settings> settings) {
    try_mark(settings->bypass_mark);
    std::set<ListenerAddress> wanted = listener_addresses(*settings);
    std::set<ListenerAddress> added;
    std::vector<ListenerAddress> removed;
    std::ranges::set_difference(wanted, addresses_, std::inserter(added, added.end()));
    std::ranges::set_difference(addresses_, wanted, std::back_inserter(removed));
    Share share = open_all(added, workers_.size());
    for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->reload(settings, std::move(share[i]), removed);
    for (const ListenerAddress& address : removed) addresses_.erase(address);
    addresses_.merge(added);
    settings_ = std::move(settings);
}

Status Daemon::status() {
    struct Collected {
        std::mutex mutex;
        std::condition_variable changed;
        std::size_t answers = 0;
        Status status;
    };
    // The threads keep it: they may answer when nobody waits any more.
    const auto collected = std::make_shared<Collected>();
    for (const auto& worker : workers_)
        worker->tell([collected](const Status& part) {
            const std::scoped_lock lock(collected->mutex);
            add(collected->status.tcp, part.tcp);
            add(collected->status.udp, part.udp);
            for (const auto& [cause, count] : part.drops) collected->status.drops[cause] += count;
            ++collected->answers;
            collected->changed.notify_one();
        });
    std::unique_lock lock(collected->mutex);
    collected->changed.wait_for(lock, std::chrono::seconds(1), [&] { return collected->answers == workers_.size(); });
    Status status = collected->status;
    const auto now = ProxyHealth::Clock::now();
    for (const Proxy& proxy : settings_->proxies) {
        auto [up, since, cause] = proxy.health->state();
        status.proxies.push_back(
            {proxy.server, up, std::chrono::duration_cast<std::chrono::seconds>(now - since), std::move(cause)});
    }
    status.failures = log_.failures();
    status.limits = limits_;
    return status;
}

bool Daemon::alive() {
    if (!calls_.complete()) return false;
    const auto here = calls_.begin();
    for (const auto& worker : workers_) worker->tell([here](const Status&) { here(); });
    return true;
}

void Daemon::drain() {
    for (const auto& worker : workers_) worker->drain();
}

void Daemon::stop() {
    for (const auto& worker : workers_) worker->stop();
}

} // namespace natctl
