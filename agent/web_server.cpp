// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/web_server.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <variant>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/send_waiting.h"

namespace natctl {

WebServer::WebServer(Loop& loop, Limits limits, OnRequest on_request)
    : loop_(loop),
      limits_(limits),
      on_request_(std::move(on_request)) {}

WebServer::~WebServer() {
    for (const auto& [number, connection] : connections_) loop_.forget(connection.socket.get());
}

void WebServer::take(Fd socket) {
    if (connections_.size() >= limits_.connections) drop(connections_.begin()->first);
    const auto now = Loop::Clock::now();
    const auto number = next_++;
    auto& connection = connections_
                           .emplace(number, Connection{.socket = std::move(socket),
                                                       .end = now + limits_.whole,
                                                       .deadline = now + limits_.request})
                           .first->second;
    watch(number, connection, EPOLLIN);
}

WebServer::Time WebServer::due() const {
    auto due = Time::max();
    for (const auto& [number, connection] : connections_) due = std::min(due, connection.deadline);
    return due;
}

void WebServer::tend(Time now) {
    std::vector<std::uint64_t> late;
    for (const auto& [number, connection] : connections_)
        if (connection.deadline <= now) late.push_back(number);
    for (const auto number : late) {
        auto& connection = connections_.at(number);
        if (connection.state == State::reading && !connection.in.empty())
            answer(number, connection, to_bytes(web::Refusal{408, "the request did not come to its end"}, false));
        else
            drop(number);
    }
}

void WebServer::serve(std::uint64_t number, std::uint32_t events) {
    auto& connection = connections_.at(number);
    switch (connection.state) {
    case State::reading: read(number, connection); break;
    case State::waiting:
        // Nothing was asked to be told of but this.
        if ((events & (EPOLLHUP | EPOLLERR)) != 0) drop(number);
        break;
    case State::writing: write(number, connection); break;
    case State::leaving: leave(number, connection); break;
    }
}

void WebServer::read(std::uint64_t number, Connection& connection) {
    std::array<char, web::longest_request> part;
    const auto count = ::recv(connection.socket.get(), part.data(), part.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count <= 0) return drop(number);
    connection.in.append(part.data(), static_cast<std::size_t>(count));
    const auto parsed = web::parse(connection.in);
    if (std::holds_alternative<web::Unfinished>(parsed)) return;
    if (const auto* refusal = std::get_if<web::Refusal>(&parsed))
        return answer(number, connection, to_bytes(*refusal, false));
    const auto& request = std::get<web::Request>(parsed);
    connection.head_only = request.head_only;
    if (const auto refusal = objection(request))
        return answer(number, connection, to_bytes(*refusal, request.head_only));
    connection.state = State::waiting;
    connection.deadline = connection.end;
    watch(number, connection, 0);
    on_request_(request, [this, number](const web::Response& response) {
        const auto found = connections_.find(number);
        if (found == connections_.end() || found->second.state != State::waiting) return;
        answer(number, found->second, to_bytes(response, found->second.head_only));
    });
}

void WebServer::answer(std::uint64_t number, Connection& connection, std::string bytes) {
    connection.out = std::move(bytes);
    connection.state = State::writing;
    connection.deadline = connection.end;
    write(number, connection);
}

void WebServer::write(std::uint64_t number, Connection& connection) {
    if (!send_waiting(connection.socket.get(), connection.out)) return drop(number);
    if (!connection.out.empty()) return watch(number, connection, EPOLLOUT);
    ::shutdown(connection.socket.get(), SHUT_WR);
    connection.state = State::leaving;
    connection.deadline = std::min(connection.end, Loop::Clock::now() + limits_.goodbye);
    watch(number, connection, EPOLLIN);
}

void WebServer::leave(std::uint64_t number, Connection& connection) {
    std::array<char, web::longest_request> part;
    const auto count = ::recv(connection.socket.get(), part.data(), part.size(), 0);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) drop(number);
}

void WebServer::watch(std::uint64_t number, Connection& connection, std::uint32_t events) {
    loop_.watch(connection.socket.get(), events, [this, number](std::uint32_t ready) { serve(number, ready); });
}

void WebServer::drop(std::uint64_t number) {
    const auto found = connections_.find(number);
    loop_.forget(found->second.socket.get());
    connections_.erase(found);
}

} // namespace natctl
