// SPDX-License-Identifier: GPL-3.0-or-later
#include "load/load.h"

#include <array>
#include <map>
#include <vector>

#include <sys/socket.h>

#include "load/poller.h"

namespace natctl::bench {

namespace {

constexpr std::uint64_t listeners = std::uint64_t{1} << 32;

/// What is more than its buffer is not for this server.
void answer(int fd, std::map<int, Fd>& connections) {
    std::array<char, 4096> buffer;
    const ssize_t got = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (got > 0) ::send(fd, buffer.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
    if (got == 0 || (got < 0 && errno != EAGAIN)) connections.erase(fd);
}

/// Without copying it to anywhere (tcp(7), MSG_TRUNC).
void discard(int fd, std::map<int, Fd>& connections) {
    const ssize_t got = ::recv(fd, nullptr, std::size_t{4} << 20, MSG_TRUNC | MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) connections.erase(fd);
}

void serve(std::uint16_t port, unsigned ports, void (*react)(int, std::map<int, Fd>&)) {
    take_all_descriptors();
    Poller poller;
    std::vector<Fd> listening;
    for (unsigned i = 0; i < ports; ++i) {
        listening.push_back(listen_on(static_cast<std::uint16_t>(port + i)));
        poller.add(listening.back().get(), EPOLLIN, listeners + i);
    }
    std::map<int, Fd> connections;
    while (true)
        for (const epoll_event& event : poller.wait(std::chrono::hours(1))) {
            if (event.data.u64 < listeners) {
                react(static_cast<int>(event.data.u64), connections);
                continue;
            }
            const int listener = listening[event.data.u64 - listeners].get();
            Fd client(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!client) continue;
            const int fd = client.get();
            poller.add(fd, EPOLLIN, static_cast<std::uint64_t>(fd));
            connections.emplace(fd, std::move(client));
        }
}

} // namespace

void echo(std::uint16_t port, unsigned ports) { serve(port, ports, answer); }

void sink(std::uint16_t port) { serve(port, 1, discard); }

} // namespace natctl::bench
