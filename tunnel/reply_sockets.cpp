// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/reply_sockets.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "nftctl/base/error.h"
#include "tunnel/checksum.h"
#include "tunnel/datagram_socket.h"
#include "tunnel/socket_address.h"

namespace natctl {

namespace {

void set_on(int fd, int level, int name) {
    const int on = 1;
    // What was refused here shows when the address is bound or used.
    ::setsockopt(fd, level, name, &on, sizeof on);
}

void be_transparent(int fd, Family family) {
    if (family == Family::ipv6)
        set_on(fd, IPPROTO_IPV6, IPV6_TRANSPARENT);
    else
        set_on(fd, IPPROTO_IP, IP_TRANSPARENT);
}

/// RFC 768, RFC 8200 section 8.1.
std::array<std::uint8_t, 8> udp_header(const Endpoint& from, const Endpoint& to, DatagramView payload) {
    const auto length = static_cast<std::uint16_t>(8 + payload.size());
    std::uint16_t sum = InternetChecksum()
                            .add(from.address.bytes())
                            .add(to.address.bytes())
                            .add(std::uint16_t{IPPROTO_UDP})
                            .add(length)
                            .add(from.port)
                            .add(to.port)
                            .add(length)
                            .add(payload)
                            .value();
    // 0 would mean that there is none.
    if (sum == 0) sum = 0xffff;
    std::array<std::uint8_t, 8> header{};
    std::size_t next = 0;
    for (const std::uint16_t word : {from.port, to.port, length, sum}) {
        header[next++] = static_cast<std::uint8_t>(word >> 8);
        header[next++] = static_cast<std::uint8_t>(word & 0xff);
    }
    return header;
}

/// Makes `message` say which source address to use.
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

void ReplySockets::send(const Endpoint& from, const Endpoint& to, DatagramView payload, std::uint32_t mark) {
    try {
        const Socket& socket = socket_for(from, mark);
        if (socket.fd)
            out_.add(socket.fd.get(), to, {}, payload, from, *this);
        else
            send_raw(from, to, payload, mark);
    } catch (const SystemError& error) {
        drops_.dropped(Drop::failed, from, error.what());
    }
}

void ReplySockets::not_sent(std::error_code error, const Endpoint& from, std::size_t size) {
    drops_.dropped(drop_for(error), from, std::to_string(size) + " bytes back to the client, " + error.message());
}

ReplySockets::Socket& ReplySockets::socket_for(const Endpoint& from, std::uint32_t mark) {
    if (const auto found = by_endpoint_.find(from); found != by_endpoint_.end()) {
        sockets_.splice(sockets_.begin(), sockets_, found->second);
        return sockets_.front();
    }
    Fd fd = open(from, mark);
    if (sockets_.size() >= max_sockets_) {
        // The one that goes may have something in the batch.
        out_.flush();
        by_endpoint_.erase(sockets_.back().from);
        sockets_.pop_back();
    }
    sockets_.push_front({from, std::move(fd)});
    by_endpoint_.emplace(from, sockets_.begin());
    return sockets_.front();
}

Fd ReplySockets::open(const Endpoint& from, std::uint32_t mark) {
    const Family family = from.address.family();
    Fd fd = open_datagram_socket(family, mark);
    be_transparent(fd.get(), family);
    set_on(fd.get(), SOL_SOCKET, SO_REUSEADDR);
    take_nothing(fd.get());
    const SocketAddress address(from);
    if (::bind(fd.get(), address.data(), address.size()) == 0) return fd;
    if (errno != EADDRINUSE)
        throw SystemError("bind", "a UDP socket to " + from.text(), errno,
                          "run natctl-tunnel as root or with CAP_NET_ADMIN");
    spdlog::info("another program has UDP port {}: answers from {} go out by a raw socket", from.port, from.text());
    return {};
}

int ReplySockets::raw_socket(Family family, std::uint32_t mark) {
    const bool v6 = family == Family::ipv6;
    Fd& fd = v6 ? raw6_ : raw4_;
    if (fd) return fd.get();
    Fd raw(::socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP));
    if (!raw) throw SystemError("create", "a raw socket", errno, "run natctl-tunnel as root or with CAP_NET_RAW");
    take_nothing(raw.get());
    be_transparent(raw.get(), family);
    if (mark != 0) check(::setsockopt(raw.get(), SOL_SOCKET, SO_MARK, &mark, sizeof mark), "mark", "a raw socket");
    make_room(raw.get(), 2 << 20);
    fd = std::move(raw);
    return fd.get();
}

void ReplySockets::send_raw(const Endpoint& from, const Endpoint& to, DatagramView payload, std::uint32_t mark) {
    const int fd = raw_socket(from.address.family(), mark);
    auto header = udp_header(from, to, payload);
    std::array<iovec, 2> parts{iovec{header.data(), header.size()},
                               iovec{const_cast<std::uint8_t*>(payload.data()), payload.size()}};
    // A raw socket takes no port here (net/ipv6/raw.c, rawv6_sendmsg).
    const SocketAddress address(Endpoint{to.address, 0});
    msghdr message{};
    message.msg_name = const_cast<sockaddr*>(address.data());
    message.msg_namelen = address.size();
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    SourceControl control;
    control.attach(message, from.address);
    if (::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        not_sent({errno, std::system_category()}, from, payload.size());
}

} // namespace natctl
