// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/link_prober.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <linux/icmp.h>
#include <linux/ipv6.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "nftctl/base/echo.h"
#include "nftctl/base/error.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

std::size_t index_of(Family family) { return family == Family::ipv4 ? 0 : 1; }

template <class Value>
void set(const Fd& socket, int level, int option, const Value& value) {
    check(::setsockopt(socket.get(), level, option, &value, sizeof value), "set up", "a raw socket for pings");
}

Fd open_socket(Family family) {
    constexpr int kind = SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC;
    if (family == Family::ipv4) {
        Fd socket(check(::socket(AF_INET, kind, IPPROTO_ICMP), "open", "a raw socket for pings"));
        set(socket, SOL_RAW, ICMP_FILTER, icmp_filter{.data = ~(1u << ICMP_ECHOREPLY)});
        return socket;
    }
    Fd socket(check(::socket(AF_INET6, kind, IPPROTO_ICMPV6), "open", "a raw socket for pings"));
    icmp6_filter types;
    ICMP6_FILTER_SETBLOCKALL(&types);
    ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &types);
    set(socket, IPPROTO_ICMPV6, ICMP6_FILTER, types);
    return socket;
}

/// Where to and by which interface, as sendmsg(2) wants it.
class Envelope {
public:
    Envelope(const Address& target, std::uint32_t interface) {
        message_.msg_control = control_.data();
        if (target.family() == Family::ipv4) {
            in4_.sin_family = AF_INET;
            std::memcpy(&in4_.sin_addr, target.bytes().data(), sizeof in4_.sin_addr);
            address(&in4_, sizeof in4_);
            put(IPPROTO_IP, IP_PKTINFO, in_pktinfo{.ipi_ifindex = static_cast<int>(interface)});
        } else {
            in6_.sin6_family = AF_INET6;
            in6_.sin6_scope_id = interface;
            std::memcpy(&in6_.sin6_addr, target.bytes().data(), sizeof in6_.sin6_addr);
            address(&in6_, sizeof in6_);
            put(IPPROTO_IPV6, IPV6_PKTINFO, in6_pktinfo{.ipi6_addr = {}, .ipi6_ifindex = static_cast<int>(interface)});
        }
    }

    const msghdr* with(std::span<iovec> parts) {
        message_.msg_iov = parts.data();
        message_.msg_iovlen = parts.size();
        return &message_;
    }

private:
    void address(void* name, socklen_t size) {
        message_.msg_name = name;
        message_.msg_namelen = size;
    }
    template <class Value>
    void put(int level, int type, const Value& value) {
        message_.msg_controllen = CMSG_SPACE(sizeof value);
        cmsghdr* const header = CMSG_FIRSTHDR(&message_);
        header->cmsg_level = level;
        header->cmsg_type = type;
        header->cmsg_len = CMSG_LEN(sizeof value);
        std::memcpy(CMSG_DATA(header), &value, sizeof value);
    }

    sockaddr_in in4_{};
    sockaddr_in6 in6_{};
    alignas(cmsghdr) std::array<std::uint8_t, 64> control_{};
    msghdr message_{};
};

} // namespace

LinkProber::LinkProber(Loop& loop, Answered answered) : loop_(loop), answered_(std::move(answered)) {
    check(::getrandom(secret_.data(), secret_.size(), 0), "get", "random bytes");
}

LinkProber::~LinkProber() {
    for (const auto& socket : sockets_)
        if (socket) loop_.forget(socket.get());
}

const Fd* LinkProber::socket_for(Family family) {
    constexpr std::chrono::seconds pause(30);
    auto& socket = sockets_[index_of(family)];
    auto& not_before = not_before_[index_of(family)];
    const auto now = Loop::Clock::now();
    if (socket) return &socket;
    if (now < not_before) return nullptr;
    try {
        socket = open_socket(family);
        loop_.watch(socket.get(), EPOLLIN, [this, family](std::uint32_t) { receive(family); });
        return &socket;
    } catch (const SystemError& error) {
        not_before = now + pause;
        auto failure =
            fmt::format("links are not probed over {}: {}", family == Family::ipv4 ? "IPv4" : "IPv6", error.what());
        if (error.error() == EPERM) failure += "; run natctl-agent as root or with CAP_NET_RAW";
        failures_[index_of(family)].is_now(std::move(failure));
        return nullptr;
    }
}

bool LinkProber::send(const LinkHealth::Probe& probe) {
    const auto* const socket = socket_for(probe.target.family());
    if (!socket) return false;
    const auto next = static_cast<std::uint32_t>(numbers_.size());
    const auto number = numbers_.try_emplace(probe.link, next).first->second;
    asked_[number] = {probe.link, probe.target};

    std::array<std::uint8_t, secret_size + sizeof number> data{};
    std::ranges::copy(secret_, data.begin());
    std::memcpy(data.data() + secret_size, &number, sizeof number);
    const echo::Message message{
        .identifier = static_cast<std::uint16_t>(number), .sequence = ++sequence_, .data = data};
    auto header = probe.target.family() == Family::ipv4 ? echo::request4(message) : echo::request6(message);
    std::array<iovec, 2> parts{{{header.data(), header.size()}, {data.data(), data.size()}}};
    Envelope envelope(probe.target, probe.interface);
    ::sendmsg(socket->get(), envelope.with(parts), MSG_DONTWAIT);
    return true;
}

void LinkProber::receive(Family family) {
    const Fd& socket = sockets_[index_of(family)];
    std::array<std::uint8_t, 2048> buffer;
    // Others may send more than we can read: the rest waits for its turn.
    constexpr int most = 100;
    for (int i = 0; i < most; ++i) {
        sockaddr_storage from{};
        socklen_t from_size = sizeof from;
        const auto size =
            ::recvfrom(socket.get(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &from_size);
        if (size < 0) return;
        const auto packet = std::span<const std::uint8_t>(buffer).first(static_cast<std::size_t>(size));
        const auto reply = family == Family::ipv4 ? echo::parse_reply4(packet) : echo::parse_reply6(packet);
        std::uint32_t number = 0;
        if (!reply || reply->data.size() != secret_size + sizeof number ||
            !std::equal(secret_.begin(), secret_.end(), reply->data.begin()))
            continue;
        std::memcpy(&number, reply->data.data() + secret_size, sizeof number);
        const auto found = asked_.find(number);
        if (found != asked_.end() &&
            found->second.target == endpoint_of(reinterpret_cast<const sockaddr*>(&from)).address)
            answered_(found->second.link);
    }
}

std::string LinkProber::take_failure() {
    std::string text;
    for (auto& failure : failures_)
        if (const auto news = failure.take(); !news.empty()) text += (text.empty() ? "" : "; ") + news;
    return text;
}

} // namespace natctl
