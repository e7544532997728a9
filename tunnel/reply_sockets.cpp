// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/reply_sockets.h"

#include <array>
#include <cerrno>
#include <utility>

#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include "nftctl/base/checksum.h"
#include "nftctl/base/error.h"
#include "nftctl/socket/socket_address.h"
#include "tunnel/datagram_socket.h"
#include "tunnel/send_from.h"

namespace natctl {

namespace {

constexpr auto longest_rest = std::chrono::seconds(10);

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
        sockets_.front().used = now_;
        return sockets_.front();
    }
    Fd fd = open(from, mark);
    if (sockets_.size() >= max_sockets_) drop_last();
    sockets_.push_front({from, std::move(fd), now_});
    by_endpoint_.emplace(from, sockets_.begin());
    return sockets_.front();
}

void ReplySockets::drop_last() {
    // It may have something in the batch.
    out_.flush();
    by_endpoint_.erase(sockets_.back().from);
    sockets_.pop_back();
}

void ReplySockets::tick(std::chrono::steady_clock::time_point now) {
    now_ = now;
    while (!sockets_.empty() && now - sockets_.back().used >= longest_rest) drop_last();
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
    const auto error = send_from(fd, from.address, to.address, udp_header(from, to, payload), payload);
    if (error) not_sent(error, from, payload.size());
}

} // namespace natctl
