// SPDX-License-Identifier: GPL-3.0-or-later
#include "load/poller.h"

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"

namespace natctl::bench {

namespace {

sockaddr_in address_of(std::uint32_t address, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    result.sin_addr.s_addr = htonl(address);
    return result;
}

void set_on(int fd, int level, int name) {
    const int on = 1;
    check(::setsockopt(fd, level, name, &on, sizeof on), "prepare", "a socket");
}

} // namespace

Poller::Poller() : fd_(check(::epoll_create1(EPOLL_CLOEXEC), "create", "an epoll set")) {}

void Poller::add(int fd, std::uint32_t events, std::uint64_t number) {
    epoll_event event{events, {}};
    event.data.u64 = number;
    check(::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event), "watch", "a socket");
}

void Poller::change(int fd, std::uint32_t events, std::uint64_t number) {
    epoll_event event{events, {}};
    event.data.u64 = number;
    check(::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event), "watch", "a socket");
}

std::span<const epoll_event> Poller::wait(std::chrono::milliseconds patience) {
    const int count =
        ::epoll_wait(fd_.get(), events_.data(), static_cast<int>(events_.size()), static_cast<int>(patience.count()));
    return {events_.data(), static_cast<std::size_t>(count < 0 ? 0 : count)};
}

Fd start_connecting(const Endpoint& to) {
    Fd fd(check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "create", "a socket"));
    set_on(fd.get(), IPPROTO_TCP, TCP_NODELAY);
    const auto address = address_of(to.address.v4_value(), to.port);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
        throw SystemError("connect to", to.text(), errno);
    return fd;
}

Fd listen_on(std::uint16_t port) {
    Fd fd(check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "create", "a socket"));
    set_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
    const auto address = address_of(INADDR_ANY, port);
    check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind", "a socket");
    check(::listen(fd.get(), 65535), "listen at", "a socket");
    return fd;
}

int connect_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

void take_all_descriptors() {
    rlimit limit{};
    check(::getrlimit(RLIMIT_NOFILE, &limit), "read", "the limit of open files");
    limit.rlim_cur = limit.rlim_max;
    check(::setrlimit(RLIMIT_NOFILE, &limit), "raise", "the limit of open files");
}

} // namespace natctl::bench
