// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/web_listeners.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/unix_listener.h"
#include "nftctl/base/error.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

constexpr std::chrono::seconds patience(5);
constexpr int backlog = 64;

Fd listen_at(const Endpoint& endpoint) {
    const auto text = endpoint.text();
    Fd socket(check(::socket(address_family(endpoint.address.family()), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                    "create", "a socket for " + text));
    const int on = 1;
    check(::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "prepare", text);
    const SocketAddress address(endpoint);
    check(::bind(socket.get(), address.data(), address.size()), "listen at", text);
    check(::listen(socket.get(), backlog), "listen at", text);
    return socket;
}

} // namespace

WebListeners::WebListeners(Loop& loop, std::string group, OnConnection on_connection)
    : loop_(loop),
      group_(std::move(group)),
      on_connection_(std::move(on_connection)) {}

WebListeners::~WebListeners() {
    for (auto& [text, listener] : listeners_) close(listener);
}

void WebListeners::set(const std::vector<HttpListener>& wanted) {
    // New ones first: a mistake in them is no reason for a gap, and a monitor that asks meanwhile finds one of them.
    for (const auto& where : wanted) {
        const auto [place, fresh] = listeners_.try_emplace(where.text(), Listener{.where = where});
        if (fresh) open(place->second);
    }
    for (auto item = listeners_.begin(); item != listeners_.end();) {
        const bool stays = std::ranges::any_of(wanted, [&](const auto& where) { return where.text() == item->first; });
        if (!stays) close(item->second);
        item = stays ? std::next(item) : listeners_.erase(item);
    }
    tend(Time::min());
}

std::vector<WebListeners::State> WebListeners::states() const {
    std::vector<State> states;
    for (const auto& [text, listener] : listeners_) states.push_back({text, listener.failure});
    return states;
}

std::vector<WebListeners::Message> WebListeners::messages() { return std::exchange(messages_, {}); }

void WebListeners::tend(Time now) {
    if (now >= retry_)
        for (auto& [text, listener] : listeners_)
            if (!listener.socket) open(listener);
    const bool all_open = std::ranges::all_of(listeners_, [](const auto& item) { return bool(item.second.socket); });
    if (all_open)
        retry_ = Time::max();
    else if (now >= retry_ || retry_ == Time::max())
        retry_ = Loop::Clock::now() + patience;
}

void WebListeners::open(Listener& listener) {
    try {
        const auto* endpoint = std::get_if<Endpoint>(&listener.where.listen);
        listener.socket = endpoint != nullptr ? listen_at(*endpoint)
                                              : natctl::listen_at(std::get<std::string>(listener.where.listen), group_,
                                                                  "write a shorter path");
    } catch (const SystemError& error) {
        if (listener.failure != error.what())
            messages_.push_back({true, std::string(error.what()) + "; nothing is shown there, and it is tried again"});
        listener.failure = error.what();
        return;
    }
    if (!listener.failure.empty()) messages_.push_back({false, "listens at " + listener.where.text() + " now"});
    listener.failure.clear();
    const int fd = listener.socket.get();
    loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t) {
        if (Fd socket(::accept4(fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)); socket)
            on_connection_(std::move(socket));
    });
}

void WebListeners::close(Listener& listener) {
    if (!listener.socket) return;
    loop_.forget(listener.socket.get());
    if (const auto* path = std::get_if<std::string>(&listener.where.listen)) ::unlink(path->c_str());
}

} // namespace natctl
