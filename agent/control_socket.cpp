// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/control_socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/control.h"
#include "agent/request.h"
#include "agent/send_waiting.h"
#include "agent/unix_listener.h"

namespace natctl {

namespace {

constexpr std::size_t most_clients = 200;
/// What may wait for a client that watches and does not read.
constexpr std::size_t most_told = 4 << 20;

/// Nobody's where the system does not say.
uid_t user_of(const Fd& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    const bool known = ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    return known ? peer.uid : static_cast<uid_t>(-1);
}

} // namespace

ControlSocket::ControlSocket(Loop& loop, std::string path, const std::string& group, std::string hello, OnLine on_line)
    : loop_(loop),
      path_(std::move(path)),
      hello_(std::move(hello)),
      on_line_(std::move(on_line)),
      listener_(listen_at(path_, group, "give a shorter --run-dir")) {
    loop_.watch(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept(); });
}

ControlSocket::~ControlSocket() {
    for (const auto& [fd, client] : clients_) loop_.forget(fd);
    loop_.forget(listener_.get());
    ::unlink(path_.c_str());
}

void ControlSocket::accept() {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    if (clients_.size() >= most_clients) drop_oldest();
    const int fd = socket.get();
    const auto user = user_of(socket);
    auto& client =
        clients_.emplace(fd, Client{.socket = std::move(socket), .number = next_++, .user = user}).first->second;
    client.out = hello_;
    flush(client);
    settle(fd);
}

void ControlSocket::serve(int fd, std::uint32_t events) {
    auto& client = clients_.at(fd);
    served_ = &client;
    flush(client);
    const bool readable = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
    if (readable && !client.lost && !client.ending && client.out.empty()) read(client);
    answer_lines(client);
    served_ = nullptr;
    settle(fd);
}

void ControlSocket::read(Client& client) {
    std::array<char, 16384> part;
    const auto count = ::recv(client.socket.get(), part.data(), part.size(), 0);
    if (count > 0)
        client.in.append(part.data(), static_cast<std::size_t>(count));
    else if (count == 0)
        // It has said everything; what it is owed it still gets.
        client.ending = true;
    else
        client.lost = errno != EAGAIN && errno != EINTR;
}

void ControlSocket::answer_lines(Client& client) {
    std::size_t begin = 0;
    while (!client.lost && client.out.empty()) {
        const auto end = client.in.find('\n', begin);
        if (end == std::string::npos) break;
        auto answer = on_line_(std::string_view(client.in).substr(begin, end - begin), client.user);
        begin = end + 1;
        client.out += answer.text;
        client.watches = client.watches || answer.watches;
        flush(client);
    }
    client.in.erase(0, begin);
    if (!client.out.empty() || client.in.size() < control::longest_request) return;
    client.out = control::refusal("a request has at most 65536 bytes");
    client.ending = true;
    client.in.clear();
    flush(client);
}

void ControlSocket::flush(Client& client) {
    if (client.lost) return;
    client.lost = !send_waiting(client.socket.get(), client.out);
    if (client.out.empty()) client.told = 0;
}

void ControlSocket::settle(int fd) {
    const auto& client = clients_.at(fd);
    if (client.lost || (client.ending && client.out.empty())) {
        drop(fd);
        return;
    }
    const std::uint32_t events = client.out.empty() ? EPOLLIN : EPOLLOUT;
    loop_.watch(fd, events, [this, fd](std::uint32_t ready) { serve(fd, ready); });
}

void ControlSocket::tell(const std::string& text) {
    std::vector<int> told;
    for (auto& [fd, client] : clients_) {
        if (!client.watches) continue;
        client.out += text;
        client.told += text.size();
        flush(client);
        client.lost = client.lost || client.told > most_told;
        if (&client != served_) told.push_back(fd);
    }
    for (const int fd : told) settle(fd);
}

void ControlSocket::drop(int fd) {
    loop_.forget(fd);
    clients_.erase(fd);
}

void ControlSocket::drop_oldest() {
    const auto oldest = std::ranges::min_element(clients_, {}, [](const auto& item) { return item.second.number; });
    drop(oldest->first);
}

} // namespace natctl
