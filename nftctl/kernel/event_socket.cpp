// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/event_socket.h"

#include <cerrno>
#include <cstddef>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"

namespace natctl::netlink {

namespace {

/// Room for what happens while a large table is being committed. When it is too little, everything is read again.
constexpr int receive_buffer = 4 << 20;
constexpr std::size_t read_size = 64 << 10;

const char* name_of(int protocol) {
    return protocol == NETLINK_NETFILTER ? "events of nf_tables" : "events of routing";
}

} // namespace

EventSocket::EventSocket(int protocol, const std::vector<int>& groups)
    : socket_(mnl_socket_open2(protocol, SOCK_CLOEXEC | SOCK_NONBLOCK)),
      buffer_(read_size) {
    if (!socket_) throw_errno("open", name_of(protocol));
    check(mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID), "bind", name_of(protocol));
    const int size = receive_buffer;
    if (::setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        ::setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    for (int group : groups)
        if (mnl_socket_setsockopt(socket_.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
            throw SystemError("listen to", name_of(protocol), errno, errno == EPERM ? "it needs CAP_NET_ADMIN" : "");
}

bool EventSocket::receive(const Each& each) {
    bool all = true;
    while (true) {
        const ssize_t received = ::recv(fd(), buffer_.data(), buffer_.size(), 0);
        if (received < 0 && errno == EINTR) continue;
        if (received < 0 && errno == EAGAIN) return all;
        // It comes before what there was room for.
        if (received < 0 && errno == ENOBUFS) {
            all = false;
            continue;
        }
        if (received < 0) throw_errno("receive", "netlink events");
        int left = static_cast<int>(received);
        for (const auto* message = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(message, left);
             message = mnl_nlmsg_next(message, &left))
            if (message->nlmsg_type >= NLMSG_MIN_TYPE) each(*message);
    }
}

} // namespace natctl::netlink
