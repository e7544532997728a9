// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/tunnel_client.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "nftctl/socket/unix_address.h"

namespace natctl {

namespace {

/// It is on this machine, and has its figures at hand.
constexpr std::chrono::seconds patience(1);
constexpr std::size_t longest_report = 4 << 20;

} // namespace

TunnelClient::TunnelClient(Loop& loop, std::string path) : loop_(loop), path_(std::move(path)) {}

TunnelClient::~TunnelClient() {
    if (socket_) loop_.forget(socket_.get());
}

void TunnelClient::ask(OnReport on_report) {
    waiting_.push_back(std::move(on_report));
    if (!socket_) connect();
}

void TunnelClient::connect() {
    const auto address = unix_address(path_);
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    // Unix sockets connect at once, or not at all.
    if (!address || !socket ||
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
        return end(std::nullopt);
    socket_ = std::move(socket);
    deadline_ = Loop::Clock::now() + patience;
    in_.clear();
    loop_.watch(socket_.get(), EPOLLIN, [this](std::uint32_t) { read(); });
}

void TunnelClient::tend(Time now) {
    if (now >= due()) end(std::nullopt);
}

void TunnelClient::read() {
    std::array<char, 65536> part;
    const auto count = ::recv(socket_.get(), part.data(), part.size(), 0);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count == 0) return end(read_tunnel_report(in_));
    if (count < 0 || in_.size() > longest_report) return end(std::nullopt);
    in_.append(part.data(), static_cast<std::size_t>(count));
}

void TunnelClient::end(const std::optional<TunnelReport>& report) {
    if (socket_) {
        loop_.forget(socket_.get());
        socket_ = Fd();
    }
    for (const auto& on_report : std::exchange(waiting_, {})) on_report(report);
}

} // namespace natctl
