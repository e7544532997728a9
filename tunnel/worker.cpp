// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/worker.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include <asio/post.hpp>
#include <spdlog/spdlog.h>

#include "tunnel/proxy_listener.h"
#include "tunnel/spawn.h"
#include "tunnel/tproxy_listener.h"

namespace natctl {

namespace {

/// How long to leave a listener alone after accept() failed `failures` times in a row, for lack of descriptors or
/// memory: some 50 ms, doubled up to 2 s, and random, so that threads and processes do not all come back at once.
std::chrono::milliseconds accept_pause(unsigned failures) {
    static thread_local std::minstd_rand random(std::random_device{}());
    const auto longest = std::min(2000u, 50u << std::min(failures, 6u));
    return std::chrono::milliseconds(std::uniform_int_distribution<unsigned>(longest / 2, longest)(random));
}

} // namespace

struct Worker::Acceptor {
    ListenerAddress address;
    tcp::acceptor acceptor;
};

/// Counts a flow until the relay has it, or it has failed.
class Worker::Opening {
public:
    explicit Opening(Worker& worker) : worker_(worker) { ++worker_.opening_; }
    ~Opening() {
        --worker_.opening_;
        worker_.one_left();
    }
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;

private:
    Worker& worker_;
};

Worker::Worker(std::shared_ptr<const Settings> settings, std::vector<ListenSocket> listeners,
               const WorkerLimits& limits, FlowLog& log)
    : limits_(limits),
      log_(log),
      pipes_(limits.pipe_size, limits.max_pipes, limits.max_large_pipes),
      datagram_context_(limits.max_associations, limits.max_reply_sockets, limits.max_waiting_bytes),
      strangers_(limits.max_strangers),
      warm_(limits.max_warm),
      io_(1),
      relay_(io_, pipes_, limits.relay, [this](const FlowReport& report) { flow_ended(report); }),
      context_{io_.get_executor(), std::move(settings), strangers_, attempts_, warm_, relay_, log, datagram_context_},
      datagrams_(context_, limits.datagrams),
      room_(io_, asio::steady_timer::time_point::max()) {
    for (ListenSocket& socket : listeners) listen(std::move(socket));
    spawn(context_.executor, tick());
}

Worker::~Worker() { running_ = false; }

void Worker::translate_echo() { echo_.emplace(context_).reload(); }

void Worker::probe_proxies() { prober_.emplace(context_); }

void Worker::tell(std::function<void(const Status& status)> take) {
    asio::post(io_, [this, take = std::move(take)] {
        Status status;
        status.tcp = ended_;
        relay_.add_to(status.tcp);
        datagrams_.add_to(status.udp);
        add(status.udp, datagram_context_.served);
        status.drops = datagram_context_.drops.counts();
        take(status);
    });
}

void Worker::run() { io_.run(); }

void Worker::reload(std::shared_ptr<const Settings> settings, std::vector<ListenSocket> added,
                    std::vector<ListenerAddress> removed) {
    asio::post(
        io_, [this, settings = std::move(settings), added = std::move(added), removed = std::move(removed)]() mutable {
            context_.settings = std::move(settings);
            datagrams_.reload();
            if (echo_) echo_->reload();
            for (const ListenerAddress& address : removed) {
                datagrams_.close(address);
                std::erase_if(acceptors_, [&](const auto& acceptor) {
                    if (acceptor->address != address) return false;
                    std::error_code ignored;
                    acceptor->acceptor.close(ignored);
                    return true;
                });
            }
            for (ListenSocket& socket : added) listen(std::move(socket));
        });
}

void Worker::drain() {
    asio::post(io_, [this] {
        draining_ = true;
        warm_.close();
        for (const auto& acceptor : acceptors_) {
            std::error_code ignored;
            acceptor->acceptor.close(ignored);
        }
        acceptors_.clear();
        one_left();
    });
}

void Worker::stop() {
    asio::post(io_, [this] {
        running_ = false;
        warm_.close();
        relay_.stop();
        datagrams_.stop();
        if (echo_) echo_->stop();
        io_.stop();
    });
}

void Worker::listen(ListenSocket socket) {
    if (socket.address.kind == ListenerKind::transparent_udp) return datagrams_.listen(std::move(socket));
    const bool v6 = socket.address.endpoint.address.family() == Family::ipv6;
    auto acceptor = std::make_shared<Acceptor>(Acceptor{socket.address, tcp::acceptor(io_)});
    acceptor->acceptor.assign(v6 ? tcp::v6() : tcp::v4(), socket.fd.release());
    acceptors_.push_back(acceptor);
    spawn(context_.executor, accept(std::move(acceptor)));
}

asio::awaitable<void> Worker::accept(std::shared_ptr<Acceptor> acceptor) {
    unsigned failures = 0;
    while (acceptor->acceptor.is_open()) {
        if (flows() >= limits_.max_flows) {
            co_await room_.async_wait(awaiting);
            continue;
        }
        auto [error, client] = co_await acceptor->acceptor.async_accept(awaiting);
        if (!error) {
            failures = 0;
            spawn(context_.executor, serve(acceptor->address, std::move(client)));
            continue;
        }
        if (!acceptor->acceptor.is_open()) break;
        if (failures++ == 0)
            spdlog::error("cannot accept connections at {}: {}; trying again when there is room",
                          acceptor->address.endpoint.text(), error.message());
        asio::steady_timer pause(io_, accept_pause(failures));
        co_await pause.async_wait(awaiting);
    }
}

asio::awaitable<void> Worker::serve(ListenerAddress address, tcp::socket client) {
    const Opening opening(*this);
    switch (address.kind) {
    case ListenerKind::transparent: co_return co_await serve_transparent(context_, std::move(client));
    case ListenerKind::redirected: co_return co_await serve_redirected(context_, std::move(client));
    case ListenerKind::proxy: co_return co_await serve_proxy(context_, std::move(client), address.endpoint);
    case ListenerKind::transparent_udp: break;
    }
}

asio::awaitable<void> Worker::tick() {
    asio::steady_timer timer(io_);
    while (true) {
        timer.expires_after(context_.settings->timeouts.tick);
        co_await timer.async_wait(awaiting);
        const auto now = std::chrono::steady_clock::now();
        strangers_.tick(now);
        attempts_.tick(now);
        warm_.tick(context_, now);
        relay_.tick(now);
        datagrams_.tick(now);
        datagram_context_.replies.tick(now);
        if (echo_) echo_->tick(now);
        if (prober_) prober_->tick(now);
    }
}

void Worker::flow_ended(const FlowReport& report) {
    const std::string& link = *report.link;
    ended_[link] += {.ended = 1, .bytes_to_far = report.bytes_to_far, .bytes_to_client = report.bytes_to_client};
    if (report.end == FlowEnd::refused)
        log_.failed(report.source, report.destination.text(), link, "the far side closed without an answer",
                    "the target refused or the proxy's way to it is down: look at the proxy's log");
    else
        spdlog::debug("{} -> {}, {}: ended ({}), {} bytes there, {} bytes back", report.source.text(),
                      report.destination.text(), link, text(report.end), report.bytes_to_far, report.bytes_to_client);
    one_left();
}

void Worker::one_left() {
    if (!running_) return;
    if (flows() < limits_.max_flows) room_.cancel();
    if (draining_ && flows() == 0) {
        running_ = false;
        io_.stop();
    }
}

} // namespace natctl
