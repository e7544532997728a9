// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel_sockets.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <random>
#include <thread>

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace natctl::test {

namespace {

/// splice(2) has no MSG_NOSIGNAL; the program ignores the signal too.
const auto ignore_sigpipe = std::signal(SIGPIPE, SIG_IGN);

bool poll_in(int fd, std::chrono::milliseconds time) {
    pollfd waiting{fd, POLLIN, 0};
    return ::poll(&waiting, 1, static_cast<int>(time.count())) > 0;
}

} // namespace

sockaddr_in to_sockaddr(const Endpoint& endpoint) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    address.sin_addr.s_addr = htonl(endpoint.address.v4_value());
    return address;
}

Address fresh_address() {
    static std::atomic<std::uint32_t> next = 0;
    const std::uint32_t process = static_cast<std::uint32_t>(::getpid()) & 0x3fff;
    return Address::v4(0x7f000000u | (process + 0x40u) << 9 | (++next & 0x1ff));
}

Connection::Connection(Fd fd) : fd_(std::move(fd)) {
    const timeval time{std::chrono::seconds(patience).count(), 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

Connection Connection::to(const Endpoint& endpoint) {
    Connection connection{Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))};
    const auto address = to_sockaddr(endpoint);
    const int result = ::connect(connection.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
    REQUIRE_MESSAGE(result == 0, "connect to " << endpoint.text() << ", errno " << errno);
    return connection;
}

void Connection::send(std::string_view bytes) { CHECK(try_send(bytes)); }

bool Connection::try_send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::string Connection::receive(std::size_t count) {
    std::string result;
    std::array<char, 65536> buffer;
    while (result.size() < count) {
        const ssize_t got = ::recv(fd_.get(), buffer.data(), std::min(buffer.size(), count - result.size()), 0);
        if (got <= 0) break;
        result.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return result;
}

std::pair<std::string, End> Connection::receive_all() {
    std::string result;
    std::array<char, 65536> buffer;
    while (true) {
        const ssize_t got = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
        if (got == 0) return {result, End::fin};
        if (got < 0) return {result, errno == ECONNRESET || errno == EPIPE ? End::rst : End::timeout};
        result.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

bool Connection::readable_within(std::chrono::milliseconds time) { return poll_in(fd_.get(), time); }

void Connection::send_fin() { ::shutdown(fd_.get(), SHUT_WR); }

void Connection::send_rst() {
    const linger now{1, 0};
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_ = Fd();
}

void Connection::set_buffers(int bytes) {
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

TestListener::TestListener() : TestListener(Endpoint{fresh_address(), 1080}) {}

TestListener::TestListener(const Endpoint& endpoint)
    : endpoint_(endpoint),
      fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(fd_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = to_sockaddr(endpoint);
    REQUIRE(::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_.get(), 4096) == 0);
}

Connection TestListener::accept() {
    REQUIRE(somebody_within(patience));
    return Connection{Fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC))};
}

bool TestListener::somebody_within(std::chrono::milliseconds time) { return poll_in(fd_.get(), time); }

Endpoint dead_endpoint() { return {fresh_address(), 9}; }

void check_talks(Connection& client, Connection& target) {
    client.send("question");
    CHECK(target.receive(8) == "question");
    target.send("answer");
    CHECK(client.receive(6) == "answer");
}

void check_half_closes(Connection& client, Connection& target) {
    client.send_fin();
    CHECK(target.wait_for_end() == End::fin);
    target.send("late");
    target.send_fin();
    CHECK(client.receive_all() == std::pair(std::string("late"), End::fin));
}

std::pair<Connection, Connection> tcp_pair() {
    TestListener listener;
    auto client = Connection::to(listener.endpoint());
    auto server = listener.accept();
    return {std::move(client), std::move(server)};
}

std::size_t open_descriptors() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
    return count;
}

bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

std::string random_bytes(std::size_t count, unsigned seed) {
    std::mt19937_64 random(seed);
    std::string result(count, '\0');
    for (char& byte : result) byte = static_cast<char>(random());
    return result;
}

} // namespace natctl::test
