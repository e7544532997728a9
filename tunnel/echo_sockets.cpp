// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/echo_sockets.h"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <linux/filter.h>
#include <linux/icmp.h>
#include <linux/in6.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "tunnel/datagram_socket.h"

namespace natctl {

namespace {

/// Bytes that may wait; what comes beyond is lost, as in any router.
constexpr int room_for_bursts = 1 << 20;

class RawSocket {
public:
    RawSocket(Family family, int protocol, const char* name)
        : name_(name),
          fd_(::socket(family == Family::ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC,
                       protocol)) {
        if (!fd_) fail("create", "CAP_NET_RAW");
        make_room(fd_.get(), room_for_bursts);
    }

    template <class Value>
    void set(int level, int option, const Value& value) {
        if (::setsockopt(fd_.get(), level, option, &value, sizeof value) != 0) fail("prepare", "CAP_NET_ADMIN");
    }

    void mark(std::uint32_t mark) {
        if (mark != 0) set(SOL_SOCKET, SO_MARK, mark);
    }

    /// Only packets with this mark. It is what keeps out echo requests that no rule has let in.
    void take_marked(const Mark& mark) {
        std::array<sock_filter, 5> program{{
            {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_MARK)},
            {BPF_ALU | BPF_AND | BPF_K, 0, 0, mark.mask},
            {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, mark.value},
            {BPF_RET | BPF_K, 0, 0, 0xffffffff},
            {BPF_RET | BPF_K, 0, 0, 0},
        }};
        set(SOL_SOCKET, SO_ATTACH_FILTER, sock_fprog{program.size(), program.data()});
    }

    Fd take() && { return std::move(fd_); }

private:
    [[noreturn]] void fail(const char* verb, const char* capability) {
        const int error = errno;
        std::string remedy;
        if (error == EPERM) remedy = std::string("run natctl-tunnel as root or with ") + capability;
        throw SystemError(verb, name_, error, remedy);
    }

    const char* name_;
    Fd fd_;
};

constexpr int on = 1;

} // namespace

Fd open_request6_socket(const Mark& handed_over, std::uint32_t bypass_mark) {
    RawSocket socket(Family::ipv6, IPPROTO_ICMPV6, "a raw ICMPv6 socket");
    socket.take_marked(handed_over);
    icmp6_filter types;
    ICMP6_FILTER_SETBLOCKALL(&types);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REQUEST, &types);
    socket.set(IPPROTO_ICMPV6, ICMP6_FILTER, types);
    socket.set(IPPROTO_IPV6, IPV6_RECVPKTINFO, on);
    socket.set(IPPROTO_IPV6, IPV6_TRANSPARENT, on);
    socket.mark(bypass_mark);
    return std::move(socket).take();
}

Fd open_reply4_socket(std::uint32_t bypass_mark) {
    RawSocket socket(Family::ipv4, IPPROTO_ICMP, "a raw ICMP socket");
    // A bit for each type that is kept out (raw(7)).
    socket.set(SOL_RAW, ICMP_FILTER, icmp_filter{~(std::uint32_t{1} << ICMP_ECHOREPLY)});
    socket.mark(bypass_mark);
    return std::move(socket).take();
}

} // namespace natctl
