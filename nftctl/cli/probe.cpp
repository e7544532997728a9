// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/probe.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sys/socket.h>

#include "nftctl/base/echo.h"
#include "nftctl/base/error.h"
#include "nftctl/site/secret.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

using Clock = std::chrono::steady_clock;

int milliseconds_until(Deadline deadline) {
    const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(rest, 0, 60'000));
}

/// False: the deadline came first.
bool wait_for(int fd, short events, Deadline deadline) {
    pollfd item{fd, events, 0};
    while (true) {
        const int count = ::poll(&item, 1, milliseconds_until(deadline));
        if (count > 0) return true;
        if (count == 0 && Clock::now() >= deadline) return false;
        if (count < 0 && errno != EINTR) return false;
    }
}

/// A ping of our own, which carries this text.
constexpr std::array<std::uint8_t, 8> ping_data{'n', 'a', 't', 'c', 't', 'l', '?', '\n'};

std::vector<std::uint8_t> echo_request(Family family, std::uint16_t identifier) {
    const echo::Message message{.identifier = identifier, .sequence = 1, .data = ping_data};
    const auto header = family == Family::ipv4 ? echo::request4(message) : echo::request6(message);
    std::vector<std::uint8_t> packet(header.begin(), header.end());
    packet.insert(packet.end(), ping_data.begin(), ping_data.end());
    return packet;
}

bool is_our_reply(Family family, std::span<const std::uint8_t> packet, std::uint16_t identifier) {
    const auto message = family == Family::ipv4 ? echo::parse_reply4(packet) : echo::parse_reply6(packet);
    return message && message->identifier == identifier;
}

} // namespace

TcpKnock knock_tcp(const Endpoint& at, Deadline deadline) {
    const auto begin = Clock::now();
    TcpKnock result;
    Fd socket(check(::socket(address_family(at.address.family()), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                    "open", "a TCP socket"));
    const SocketAddress address(at);
    if (::connect(socket.get(), address.data(), address.size()) != 0) {
        result.error = errno;
        if (errno == EINPROGRESS) {
            socklen_t size = sizeof result.error;
            result.error = ETIMEDOUT;
            if (wait_for(socket.get(), POLLOUT, deadline))
                check(::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &result.error, &size), "ask", "a TCP socket");
        }
    }
    result.took = Clock::now() - begin;
    if (result.error == 0) result.socket = std::move(socket);
    return result;
}

Knock knock_echo(const Address& target, Deadline deadline) {
    const auto begin = Clock::now();
    const Family family = target.family();
    const int protocol = family == Family::ipv4 ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
    const int raw = ::socket(address_family(family), SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
    if (raw < 0) throw SystemError("open", "a raw socket for ICMP", errno, "run it as root, or use --tcp PORT");
    const Fd socket(raw);
    const auto identifier = static_cast<std::uint16_t>(::getpid());
    const SocketAddress address({target, 0});
    // Connected, so that ICMP errors to the request come as errors of the socket.
    if (::connect(socket.get(), address.data(), address.size()) != 0) return {.error = errno, .took = {}};
    const int on = 1;
    const bool ipv4 = family == Family::ipv4;
    check(::setsockopt(socket.get(), ipv4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6}, ipv4 ? IP_RECVERR : IPV6_RECVERR, &on,
                       sizeof on),
          "set up", "a raw socket for ICMP");
    const auto request = echo_request(family, identifier);
    if (::send(socket.get(), request.data(), request.size(), 0) < 0) return {.error = errno, .took = {}};
    std::array<std::uint8_t, 2048> buffer{};
    while (wait_for(socket.get(), POLLIN, deadline)) {
        const auto size = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
        if (size < 0 && errno != EAGAIN && errno != EINTR) return {.error = errno, .took = Clock::now() - begin};
        if (size > 0 && is_our_reply(family, std::span(buffer).first(static_cast<std::size_t>(size)), identifier))
            return {.error = 0, .took = Clock::now() - begin};
    }
    return {.error = ETIMEDOUT, .took = Clock::now() - begin};
}

bool SocksKnock::send(const std::string& bytes) {
    // A few hundred bytes into an empty buffer go at once or never.
    return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

std::string SocksKnock::receive(std::size_t wanted, Deadline deadline) {
    std::string result;
    std::array<char, 512> buffer{};
    while (result.size() < wanted && wait_for(socket_.get(), POLLIN, deadline)) {
        const auto size = ::recv(socket_.get(), buffer.data(), std::min(wanted - result.size(), buffer.size()), 0);
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) break;
        if (size > 0) result.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return result;
}

std::string SocksKnock::greet(const std::optional<Credentials>& credentials, Deadline deadline) {
    const char method = credentials ? '\x02' : '\x00';
    const auto counted = [](const std::string& text) { return std::string(1, static_cast<char>(text.size())) + text; };
    const auto chosen = send(std::string{'\x05', '\x01', method}) ? receive(2, deadline) : "";
    if (chosen.size() < 2) return "does not answer as a SOCKS5 proxy";
    if (chosen[0] != '\x05') return "is no SOCKS5 proxy";
    if (chosen[1] != method)
        return credentials ? "does not ask for the user and password of site.toml"
                           : "wants a user and a password, and site.toml has none for it";
    if (!credentials) return {};
    const bool sent = send("\x01" + counted(credentials->user) + counted(read_secret(credentials->password_file)));
    const auto verdict = sent ? receive(2, deadline) : "";
    if (verdict.size() < 2) return "hangs up when it is told user and password";
    return verdict[1] == '\0' ? "" : "refuses user " + credentials->user + " with that password";
}

SocksKnock::Reply SocksKnock::connect(const Endpoint& destination, Deadline deadline) {
    const auto begin = Clock::now();
    const bool ipv4 = destination.address.family() == Family::ipv4;
    std::string request{'\x05', '\x01', '\x00', ipv4 ? '\x01' : '\x04'};
    for (const auto byte : destination.address.bytes()) request += static_cast<char>(byte);
    request += static_cast<char>(destination.port >> 8);
    request += static_cast<char>(destination.port & 0xff);
    const auto reply = send(request) ? receive(4, deadline) : "";
    Reply result{.code = {}, .took = Clock::now() - begin};
    if (reply.size() == 4) result.code = static_cast<std::uint8_t>(reply[1]);
    return result;
}

bool SocksKnock::closes_within(Milliseconds patience) {
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(patience);
    // The rest of the reply and what the server says first may come before the end.
    while (wait_for(socket_.get(), POLLIN, deadline)) {
        std::array<char, 512> buffer{};
        const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) return true;
    }
    return false;
}

const char* socks_reply_text(std::uint8_t code) {
    switch (code) {
    case 0: return "succeeded";
    case 1: return "general failure";
    case 2: return "not allowed";
    case 3: return "network unreachable";
    case 4: return "host unreachable";
    case 5: return "connection refused";
    case 6: return "time to live expired";
    case 7: return "command not supported";
    case 8: return "address type not supported";
    default: return "unknown reply";
    }
}

} // namespace natctl
