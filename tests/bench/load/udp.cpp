// SPDX-License-Identifier: GPL-3.0-or-later
#include "load/load.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <sys/socket.h>

#include "load/poller.h"

namespace natctl::bench {

namespace {

constexpr std::size_t batch = 32;

/// Room for so many datagrams of one size, for sendmmsg and recvmmsg.
struct Messages {
    explicit Messages(std::size_t size) : bytes(size * batch) {
        for (std::size_t i = 0; i < batch; ++i) {
            parts[i] = {bytes.data() + i * size, size};
            all[i].msg_hdr.msg_iov = &parts[i];
            all[i].msg_hdr.msg_iovlen = 1;
        }
    }

    std::vector<char> bytes;
    std::array<iovec, batch> parts{};
    std::array<mmsghdr, batch> all{};
};

std::uint64_t receive(int fd, std::size_t size, const std::atomic<bool>& over) {
    Messages messages(size);
    Poller poller;
    poller.add(fd, EPOLLIN, 0);
    std::uint64_t count = 0;
    // Once the sender is done, until nothing has come for a while.
    while (true) {
        const bool last = over;
        const auto ready = poller.wait(std::chrono::milliseconds(200));
        if (ready.empty() && last) return count;
        while (true) {
            const int got = ::recvmmsg(fd, messages.all.data(), batch, MSG_DONTWAIT, nullptr);
            if (got <= 0) break;
            count += static_cast<std::uint64_t>(got);
        }
    }
}

std::uint64_t send(int fd, std::size_t size, double rate, double seconds) {
    Messages messages(size);
    std::uint64_t sent = 0;
    const auto begin = Clock::now();
    for (double now = 0; (now = seconds_since(begin)) < seconds;) {
        std::size_t due = batch;
        if (rate > 0) {
            const double behind = rate * now - static_cast<double>(sent);
            if (behind < 1) continue;
            due = std::min(batch, static_cast<std::size_t>(behind));
        }
        const int put = ::sendmmsg(fd, messages.all.data(), static_cast<unsigned>(due), 0);
        if (put > 0) sent += static_cast<std::uint64_t>(put);
    }
    return sent;
}

} // namespace

void udp(int sender, int receiver, std::size_t size, double rate, double seconds) {
    const int room = 16 << 20;
    ::setsockopt(receiver, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    std::atomic<bool> over = false;
    std::uint64_t received = 0;
    std::thread reader([&] { received = receive(receiver, size, over); });
    const auto begin = Clock::now();
    const std::uint64_t sent = send(sender, size, rate, seconds);
    const double took = seconds_since(begin);
    over = true;
    reader.join();
    fmt::print(R"({{"sent": {}, "received": {}, "seconds": {:.4f}}})"
               "\n",
               sent, received, took);
}

} // namespace natctl::bench
