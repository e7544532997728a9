// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/datagram_socket.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"

namespace natctl {

namespace {

constexpr int room_for_bursts = 2 << 20;

void set_size(int fd, int forced, int usual, int bytes) {
    if (::setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) != 0)
        ::setsockopt(fd, SOL_SOCKET, usual, &bytes, sizeof bytes);
}

} // namespace

Fd open_datagram_socket(Family family, std::uint32_t mark) {
    const bool v6 = family == Family::ipv6;
    Fd socket(check(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "create",
                    "a UDP socket"));
    const int on = 1;
    if (v6) check(::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on), "prepare", "a UDP socket");
    if (mark != 0) check(::setsockopt(socket.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark), "mark", "a UDP socket");
    make_room(socket.get(), room_for_bursts);
    take_pieces(socket.get());
    return socket;
}

void make_room(int fd, int bytes) {
    set_size(fd, SO_RCVBUFFORCE, SO_RCVBUF, bytes);
    set_size(fd, SO_SNDBUFFORCE, SO_SNDBUF, bytes);
}

void take_pieces(int fd) {
    const int on = 1;
    // Kernels before 5.0 refuse; then datagrams come one by one.
    ::setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
}

void take_nothing(int fd) {
    sock_filter nothing = {BPF_RET | BPF_K, 0, 0, 0};
    const sock_fprog program{1, &nothing};
    ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

} // namespace natctl
