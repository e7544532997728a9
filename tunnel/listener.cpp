// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/listener.h"

#include <cerrno>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "tunnel/datagram_socket.h"
#include "tunnel/socket.h"

namespace natctl {

namespace {

/// Connections that wait for accept(); the kernel cuts it to net.core.somaxconn.
constexpr int backlog = 4096;

/// Bytes of datagrams that may wait.
constexpr int datagram_room = 4 << 20;

std::string describe(const ListenerAddress& address) {
    const char* kind = "";
    switch (address.kind) {
    case ListenerKind::transparent: kind = "the transparent listener "; break;
    case ListenerKind::transparent_udp: kind = "the transparent UDP listener "; break;
    case ListenerKind::redirected: kind = "the listener for REDIRECT "; break;
    case ListenerKind::proxy: kind = "the proxy listener "; break;
    }
    return kind + address.endpoint.text();
}

std::string remedy_for(int error, const ListenerAddress& address) {
    if (error == EADDRINUSE) return "another program listens there: stop it or choose another port";
    if (error == EPERM || error == EACCES)
        return address.kind == ListenerKind::proxy ? "run natctl-tunnel as root"
                                                   : "run natctl-tunnel as root or with CAP_NET_ADMIN";
    return "";
}

class Socket {
public:
    explicit Socket(const ListenerAddress& address) : address_(address) {
        const bool v6 = address.endpoint.address.family() == Family::ipv6;
        const int type = is_udp() ? SOCK_DGRAM : SOCK_STREAM;
        fd_ = Fd(::socket(v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (!fd_) fail("create");
        // With UDP it would let two programs have one port.
        if (!is_udp()) set("prepare", SOL_SOCKET, SO_REUSEADDR);
        if (v6) set("prepare", IPPROTO_IPV6, IPV6_V6ONLY);
        if (is_udp()) {
            set("prepare", v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVORIGDSTADDR : IP_RECVORIGDSTADDR);
            make_room(fd_.get(), datagram_room);
            take_pieces(fd_.get());
        }
        if (is_transparent()) {
            set("prepare", v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_TRANSPARENT : IP_TRANSPARENT);
        } else {
            // The interface with this address may come later.
            set("prepare", v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_FREEBIND : IP_FREEBIND);
        }
    }

    void share() { set("share", SOL_SOCKET, SO_REUSEPORT); }

    void bind() {
        const tcp::endpoint endpoint = to_asio(address_.endpoint);
        if (::bind(fd_.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0) fail("bind");
    }

    Fd listen() && {
        if (is_udp()) return std::move(fd_);
        // Its clients are the site's own.
        if (address_.kind != ListenerKind::proxy || address_.endpoint.address.is_loopback()) avoid_pacing(fd_.get());
        if (::listen(fd_.get(), backlog) != 0) fail("open");
        return std::move(fd_);
    }

private:
    bool is_udp() const { return address_.kind == ListenerKind::transparent_udp; }
    bool is_transparent() const { return is_udp() || address_.kind == ListenerKind::transparent; }

    void set(const char* verb, int level, int name) {
        const int on = 1;
        if (::setsockopt(fd_.get(), level, name, &on, sizeof on) != 0) fail(verb);
    }

    [[noreturn]] void fail(const char* verb) {
        const int error = errno;
        throw SystemError(verb, describe(address_), error, remedy_for(error, address_));
    }

    ListenerAddress address_;
    Fd fd_;
};

} // namespace

std::vector<ListenSocket> open_listeners(const ListenerAddress& address, std::size_t count) {
    // Without SO_REUSEPORT, and gone at once: finds out whether somebody else is there.
    Socket(address).bind();
    std::vector<ListenSocket> result;
    for (std::size_t i = 0; i < count; ++i) {
        Socket socket(address);
        socket.share();
        socket.bind();
        result.push_back({address, std::move(socket).listen()});
    }
    return result;
}

} // namespace natctl
