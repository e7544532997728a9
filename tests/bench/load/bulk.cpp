// SPDX-License-Identifier: GPL-3.0-or-later
#include "load/load.h"

#include <array>
#include <string>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include "load/poller.h"
#include "nftctl/base/error.h"

namespace natctl::bench {

namespace {

void wait_for(int fd, std::uint32_t events) {
    Poller poller;
    poller.add(fd, events, 0);
    if (poller.wait(std::chrono::seconds(10)).empty()) throw SystemError("wait for", "the server", ETIMEDOUT);
}

void read_all(int fd, std::size_t count) {
    std::array<char, 64> bytes;
    for (std::size_t had = 0; had < count;) {
        wait_for(fd, EPOLLIN);
        const ssize_t got = ::recv(fd, bytes.data(), count - had, 0);
        if (got <= 0) throw SystemError("speak with", "the proxy", got == 0 ? ECONNRESET : errno);
        had += static_cast<std::size_t>(got);
    }
    if (count > 1 && bytes[1] != 0) throw SystemError("connect by", "the proxy", ECONNREFUSED);
}

/// RFC 1928, without a password.
void ask(int fd, const Endpoint& server) {
    check(static_cast<int>(::send(fd, "\5\1\0", 3, MSG_NOSIGNAL)), "greet", "the proxy");
    read_all(fd, 2);
    std::string request("\5\1\0\1", 4);
    for (const std::uint8_t byte : server.address.bytes()) request += static_cast<char>(byte);
    request += static_cast<char>(server.port >> 8);
    request += static_cast<char>(server.port & 0xff);
    check(static_cast<int>(::send(fd, request.data(), request.size(), MSG_NOSIGNAL)), "ask", "the proxy");
    read_all(fd, 10);
}

} // namespace

void bulk(const std::optional<Endpoint>& proxy, const Endpoint& server, std::size_t streams, double seconds) {
    Poller poller;
    std::vector<Fd> all;
    for (std::size_t i = 0; i < streams; ++i) {
        all.push_back(start_connecting(proxy ? *proxy : server));
        wait_for(all.back().get(), EPOLLOUT);
        if (const int error = connect_error(all.back().get())) throw SystemError("connect to", server.text(), error);
        if (proxy) ask(all.back().get(), server);
        poller.add(all.back().get(), EPOLLOUT, i);
    }
    const std::vector<char> portion(std::size_t{256} << 10);
    std::uint64_t sent = 0;
    const auto begin = Clock::now();
    while (seconds_since(begin) < seconds)
        for (const epoll_event& event : poller.wait(std::chrono::milliseconds(10))) {
            const ssize_t put =
                ::send(all[event.data.u64].get(), portion.data(), portion.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (put < 0 && errno != EAGAIN) throw SystemError("send to", server.text(), errno);
            if (put > 0) sent += static_cast<std::uint64_t>(put);
        }
    fmt::print(R"({{"bytes": {}, "seconds": {:.4f}}})"
               "\n",
               sent, seconds_since(begin));
}

} // namespace natctl::bench
