// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/send_from.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

/// Makes `message` say which source address to use (RFC 3542, section 6; ip(7)).
struct alignas(cmsghdr) SourceControl {
    std::array<std::uint8_t, CMSG_SPACE(sizeof(in6_pktinfo))> bytes{};

    void attach(msghdr& message, const Address& source) {
        message.msg_control = bytes.data();
        message.msg_controllen = bytes.size();
        if (source.family() == Family::ipv6) {
            in6_pktinfo info{};
            std::ranges::copy(source.bytes(), info.ipi6_addr.s6_addr);
            fill(message, IPPROTO_IPV6, IPV6_PKTINFO, info);
        } else {
            in_pktinfo info{};
            info.ipi_spec_dst.s_addr = htonl(source.v4_value());
            fill(message, IPPROTO_IP, IP_PKTINFO, info);
        }
    }

private:
    template <class Info>
    static void fill(msghdr& message, int level, int type, const Info& info) {
        message.msg_controllen = CMSG_SPACE(sizeof info);
        cmsghdr* control = CMSG_FIRSTHDR(&message);
        control->cmsg_level = level;
        control->cmsg_type = type;
        control->cmsg_len = CMSG_LEN(sizeof info);
        std::memcpy(CMSG_DATA(control), &info, sizeof info);
    }
};

} // namespace

std::error_code send_from(int fd, const Address& source, const Address& to, DatagramView header, DatagramView payload) {
    std::array<iovec, 2> parts{iovec{const_cast<std::uint8_t*>(header.data()), header.size()},
                               iovec{const_cast<std::uint8_t*>(payload.data()), payload.size()}};
    // A raw socket takes no port here (net/ipv6/raw.c, rawv6_sendmsg).
    const SocketAddress address(Endpoint{to, 0});
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(address.data());
    message.msg_namelen = address.size();
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    SourceControl control;
    control.attach(message, source);
    if (::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) return {errno, std::system_category()};
    return {};
}

} // namespace natctl
