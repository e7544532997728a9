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
/// What may wait for a client that does not read.
constexpr std::size_t most_waiting = 4 << 20;

bool is_root(const Fd& socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == 0;
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
    const bool root = is_root(socket);
    auto& client =
        clients_.emplace(fd, Client{.socket = std::move(socket), .number = next_++, .is_root = root}).first->second;
    loop_.watch(fd, EPOLLIN, [this, fd](std::uint32_t events) { serve(fd, events); });
    client.out = hello_;
    if (!flush(client)) drop(fd);
}

void ControlSocket::serve(int fd, std::uint32_t events) {
    auto& client = clients_.at(fd);
    const bool readable = (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0;
    if ((readable && !client.ending && !read(client)) || !flush(client)) drop(fd);
}

bool ControlSocket::read(Client& client) {
    std::array<char, 16384> part;
    const auto count = ::recv(client.socket.get(), part.data(), part.size(), 0);
    if (count < 0) return errno == EAGAIN || errno == EINTR;
    if (count == 0) {
        // It has said everything; what it is owed it still gets.
        client.ending = true;
        return !client.out.empty();
    }
    client.in.append(part.data(), static_cast<std::size_t>(count));
    answer_lines(client);
    return true;
}

void ControlSocket::answer_lines(Client& client) {
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = client.in.find('\n', begin)) != std::string::npos; begin = end + 1) {
        auto answer = on_line_(std::string_view(client.in).substr(begin, end - begin), client.is_root);
        client.out += answer.text;
        client.watches = client.watches || answer.watches;
        // It asks and does not read.
        if (client.out.size() > most_waiting) break;
    }
    client.in.erase(0, begin);
    if (client.in.size() < control::longest_request) return;
    client.out += control::refusal("a request has at most 65536 bytes");
    client.ending = true;
    client.in.clear();
}

bool ControlSocket::flush(Client& client) {
    if (!send_waiting(client.socket.get(), client.out)) return false;
    if (client.out.size() > most_waiting || (client.ending && client.out.empty())) return false;
    const int fd = client.socket.get();
    const std::uint32_t events = (client.ending ? 0U : EPOLLIN) | (client.out.empty() ? 0U : EPOLLOUT);
    loop_.watch(fd, events, [this, fd](std::uint32_t ready) { serve(fd, ready); });
    return true;
}

void ControlSocket::tell(const std::string& text) {
    std::vector<int> lost;
    for (auto& [fd, client] : clients_) {
        if (!client.watches) continue;
        client.out += text;
        if (!flush(client)) lost.push_back(fd);
    }
    for (const int fd : lost) drop(fd);
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
