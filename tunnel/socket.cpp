// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>

#include <netinet/tcp.h>
#include <sys/socket.h>

namespace natctl {

namespace {

template <int level, int name>
void set(tcp::socket& socket, int value) {
    std::error_code ignored;
    socket.set_option(asio::detail::socket_option::integer<level, name>(value), ignored);
}

// Seconds. A peer that answers nothing is given up after 4 minutes of silence.
constexpr int keepalive_idle = 120;
constexpr int keepalive_interval = 30;
constexpr int keepalive_count = 4;

/// How long sent data may stay unacknowledged. Also ends a flow whose reader takes nothing at all for so long, because
/// the kernel counts a closed window as silence (net/ipv4/tcp_timer.c, tcp_probe_timer): hence not minutes.
constexpr auto user_timeout = std::chrono::minutes(15);

} // namespace

asio::ip::address to_asio(const Address& address) {
    if (address.family() == Family::ipv4) return asio::ip::address_v4(address.v4_value());
    asio::ip::address_v6::bytes_type bytes;
    std::ranges::copy(address.bytes(), bytes.begin());
    return asio::ip::address_v6(bytes);
}

tcp::endpoint to_asio(const Endpoint& endpoint) { return {to_asio(endpoint.address), endpoint.port}; }

Endpoint from_asio(const tcp::endpoint& endpoint) {
    const auto address = endpoint.address();
    if (address.is_v4()) return {Address::v4(address.to_v4().to_uint()), endpoint.port()};
    return {Address::from_bytes(Family::ipv6, address.to_v6().to_bytes()).unmapped(), endpoint.port()};
}

void tune(tcp::socket& socket) {
    set<IPPROTO_TCP, TCP_NODELAY>(socket, 1);
    set<SOL_SOCKET, SO_KEEPALIVE>(socket, 1);
    set<IPPROTO_TCP, TCP_KEEPIDLE>(socket, keepalive_idle);
    set<IPPROTO_TCP, TCP_KEEPINTVL>(socket, keepalive_interval);
    set<IPPROTO_TCP, TCP_KEEPCNT>(socket, keepalive_count);
    give_up_as_usual(socket);
}

void give_up_after(tcp::socket& socket, std::chrono::steady_clock::duration silence) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(silence).count();
    set<IPPROTO_TCP, TCP_USER_TIMEOUT>(socket, static_cast<int>(milliseconds));
}

void give_up_as_usual(tcp::socket& socket) { give_up_after(socket, user_timeout); }

void avoid_pacing(int fd) {
    std::array<char, 16> name{};
    socklen_t size = name.size() - 1;
    if (::getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name.data(), &size) != 0) return;
    if (!std::string_view(name.data()).starts_with("bbr")) return;
    // The first may be missing or need CAP_NET_ADMIN; the second is always there.
    for (const std::string_view replacement : {"cubic", "reno"})
        if (::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, replacement.data(),
                         static_cast<socklen_t>(replacement.size())) == 0)
            return;
}

std::error_code set_mark(tcp::socket& socket, std::uint32_t mark) {
    if (mark == 0) return {};
    if (::setsockopt(socket.native_handle(), SOL_SOCKET, SO_MARK, &mark, sizeof mark) == 0) return {};
    return {errno, std::system_category()};
}

void reset_on_close(int fd) {
    const linger now{1, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

void reset(tcp::socket& socket) {
    if (!socket.is_open()) return;
    reset_on_close(socket.native_handle());
    std::error_code ignored;
    socket.close(ignored);
}

Fd release(tcp::socket& socket) {
    if (!socket.is_open()) return {};
    std::error_code ignored;
    socket.native_non_blocking(true, ignored);
    const int fd = socket.release(ignored);
    return ignored ? Fd() : Fd(fd);
}

} // namespace natctl
