// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/datagram_batch.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tunnel/datagram_socket.h"
#include "tunnel_udp.h"

using namespace natctl;
using namespace natctl::test;

namespace {

/// Hears of what was not sent.
struct Failures final : SendFailures {
    std::vector<std::pair<int, std::size_t>> all;
    void not_sent(std::error_code error, const Endpoint&, std::size_t size) override {
        all.emplace_back(error.value(), size);
    }
};

/// A socket that takes pieces, and what comes to it.
struct Receiver {
    Fd fd = open_datagram_socket(Family::ipv4, 0);
    Endpoint endpoint{fresh_address(), 4000};
    ReceiveBatch batch;
    std::vector<std::string> heard;
    std::size_t most_at_once = 0;

    Receiver() {
        const SocketAddress address(endpoint);
        REQUIRE(::bind(fd.get(), address.data(), address.size()) == 0);
    }

    bool hears(std::size_t count) {
        return eventually([&] {
            while (!batch.receive(fd.get())) {
                most_at_once = std::max(most_at_once, batch.datagrams().size());
                for (const Datagram& datagram : batch.datagrams())
                    heard.emplace_back(datagram.payload.begin(), datagram.payload.end());
            }
            return heard.size() >= count;
        });
    }
};

DatagramView view(const std::string& bytes) {
    return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

} // namespace

TEST_CASE("datagrams of all sizes arrive one by one and in order, however they were packed") {
    Receiver receiver;
    Receiver other;
    Failures failures;
    SendBatch out;
    const Fd sender = open_datagram_socket(Family::ipv4, 0);
    std::vector<std::string> sent;
    const auto add = [&](std::size_t size, std::size_t count) {
        for (std::size_t i = 0; i < count; ++i) sent.push_back(random_bytes(size, static_cast<unsigned>(sent.size())));
    };
    // Pieces that are full, that end with a shorter one, and that a longer or an empty one breaks.
    add(1200, 64);
    add(1200, 70);
    add(7, 1);
    add(1200, 3);
    add(1201, 2);
    add(0, 3);
    add(1, 2);
    add(0, 1);
    add(30'000, 5);
    add(65'500, 2);
    const std::string header = "header ";
    for (const std::string& payload : sent)
        out.add(sender.get(), receiver.endpoint, view(header).first(payload.size() < 65'000 ? header.size() : 0),
                view(payload), {}, failures);
    out.flush();
    REQUIRE(receiver.hears(sent.size()));
    REQUIRE(receiver.heard.size() == sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        CAPTURE(i);
        CHECK((receiver.heard[i] == (sent[i].size() < 65'000 ? header : std::string()) + sent[i]));
    }
    CHECK(failures.all.empty());
}

TEST_CASE("datagrams to several destinations reach each its own") {
    Receiver one;
    Receiver other;
    Failures failures;
    SendBatch out;
    const Fd sender = open_datagram_socket(Family::ipv4, 0);
    for (const char* word : {"a", "b", "c", "d", "e", "f"})
        out.add(sender.get(), *word < 'c' || *word == 'f' ? one.endpoint : other.endpoint, {},
                {reinterpret_cast<const std::uint8_t*>(word), 1}, {}, failures);
    out.flush();
    REQUIRE(one.hears(3));
    REQUIRE(other.hears(3));
    CHECK(one.heard == std::vector<std::string>{"a", "b", "f"});
    CHECK(other.heard == std::vector<std::string>{"c", "d", "e"});
    CHECK(failures.all.empty());
}

TEST_CASE("many of one size come in a piece") {
    Receiver receiver;
    Failures failures;
    SendBatch out;
    const Fd sender = open_datagram_socket(Family::ipv4, 0);
    const std::string payload(1000, 'x');
    for (std::size_t i = 0; i < 60; ++i) out.add(sender.get(), receiver.endpoint, {}, view(payload), {}, failures);
    out.flush();
    REQUIRE(receiver.hears(60));
    // More than there are places for single ones.
    CHECK(receiver.most_at_once > ReceiveBatch::capacity);
}

TEST_CASE("each datagram that is too large is told of, and the others go") {
    Receiver receiver;
    Failures failures;
    SendBatch out;
    const Fd sender = open_datagram_socket(Family::ipv4, 0);
    const std::string small = "small";
    const std::string huge(65'508, 'x');
    for (const std::string* payload : {&small, &huge, &huge, &small})
        out.add(sender.get(), receiver.endpoint, {}, view(*payload), {}, failures);
    out.flush();
    REQUIRE(receiver.hears(2));
    CHECK(receiver.heard == std::vector<std::string>{"small", "small"});
    CHECK(failures.all == std::vector<std::pair<int, std::size_t>>{{EMSGSIZE, 65'508}, {EMSGSIZE, 65'508}});
}

TEST_CASE("whoever listens no more: every datagram is told of or sent") {
    Failures failures;
    SendBatch out;
    const Fd sender = open_datagram_socket(Family::ipv4, 0);
    const SocketAddress nobody(dead_endpoint());
    REQUIRE(::connect(sender.get(), nobody.data(), nobody.size()) == 0);
    const std::string payload(100, 'x');
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 4; ++i) out.add(sender.get(), std::nullopt, {}, view(payload), {}, failures);
        out.flush();
    }
    REQUIRE(!failures.all.empty());
    CHECK(failures.all.front() == std::pair(ECONNREFUSED, std::size_t{100}));
}
