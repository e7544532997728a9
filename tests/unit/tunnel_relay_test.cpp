// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/relay.h"

#include <atomic>
#include <future>
#include <mutex>
#include <random>
#include <thread>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <doctest/doctest.h>
#include <fcntl.h>

#include "tunnel_sockets.h"

using namespace natctl;
using namespace natctl::test;
using std::chrono::milliseconds;

namespace {

/// A relay with a thread of its own, as a worker has it.
class RunningRelay {
public:
    explicit RunningRelay(std::size_t max_pipes = 1000, const RelayLimits& limits = {})
        : pipes_(65536, max_pipes, 1),
          relay_(io_, pipes_, limits, [this](const FlowReport& report) { ended(report); }),
          work_(asio::make_work_guard(io_)),
          thread_([this] { io_.run(); }) {}

    ~RunningRelay() {
        asio::post(io_, [this] {
            relay_.stop();
            io_.stop();
        });
        thread_.join();
    }

    void add(FlowStart start) {
        for (const Fd* fd : {&start.client, &start.far}) ::fcntl(fd->get(), F_SETFL, O_NONBLOCK);
        asio::post(io_, [this, start = std::make_shared<FlowStart>(std::move(start))] {
            relay_.add(std::move(*start));
            flows_ = relay_.size();
        });
    }

    void tick_in(std::chrono::steady_clock::duration ahead) {
        asio::post(io_, [this, ahead] { relay_.tick(Relay::Clock::now() + ahead); });
    }

    std::vector<FlowEnd> ends() {
        const std::lock_guard lock(mutex_);
        return ends_;
    }
    FlowReport only_report() {
        REQUIRE(eventually([&] { return ends().size() == 1; }));
        const std::lock_guard lock(mutex_);
        return *last_;
    }
    std::size_t open_pipes() {
        std::promise<std::size_t> promise;
        asio::post(io_, [&] { promise.set_value(pipes_.open()); });
        return promise.get_future().get();
    }

private:
    void ended(const FlowReport& report) {
        const std::lock_guard lock(mutex_);
        ends_.push_back(report.end);
        last_ = report;
    }

    asio::io_context io_{1};
    PipePool pipes_;
    std::mutex mutex_;
    std::vector<FlowEnd> ends_;
    std::optional<FlowReport> last_;
    std::atomic<std::size_t> flows_ = 0;
    Relay relay_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

struct Ends {
    Connection client;
    Connection far;
};

/// A relayed flow; both ends as the client and the target hold them.
Ends join(RunningRelay& relay, bool success_is_formal = false, std::uint64_t bytes_to_client = 0, int buffers = 0) {
    auto [client, inner_client] = tcp_pair();
    auto [far, inner_far] = tcp_pair();
    if (buffers > 0)
        for (Connection* connection : {&client, &inner_client, &far, &inner_far}) connection->set_buffers(buffers);
    FlowStart start{.client = inner_client.release(),
                    .far = inner_far.release(),
                    .success_is_formal = success_is_formal,
                    .bytes_to_client = bytes_to_client};
    start.link = std::make_shared<const std::string>("test");
    relay.add(std::move(start));
    return {std::move(client), std::move(far)};
}

/// Sends in pieces of random size, so that they straddle every buffer on the way.
void send_in_pieces(Connection& connection, const std::string& bytes, unsigned seed) {
    std::minstd_rand random(seed);
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const std::size_t piece =
            std::min<std::size_t>(rest.size(), 1 + random() % (random() % 4 == 0 ? 300000 : 3000));
        if (!connection.try_send(rest.substr(0, piece))) return;
        rest.remove_prefix(piece);
    }
}

} // namespace

TEST_CASE("bytes go both ways at once and arrive as they were sent") {
    const std::size_t before = open_descriptors();
    for (const std::size_t max_pipes : {1000u, 1u, 0u}) {
        CAPTURE(max_pipes);
        RunningRelay relay(max_pipes);
        Ends ends = join(relay);
        const std::string there = random_bytes(20'000'003, 1);
        const std::string back = random_bytes(17'000'001, 2);
        std::thread client_sends([&] {
            send_in_pieces(ends.client, there, 3);
            ends.client.send_fin();
        });
        std::thread far_sends([&] {
            send_in_pieces(ends.far, back, 4);
            ends.far.send_fin();
        });
        auto at_far = std::async(std::launch::async, [&] { return ends.far.receive_all(); });
        const auto at_client = ends.client.receive_all();
        CHECK(at_client.second == End::fin);
        CHECK((at_client.first == back));
        const auto received = at_far.get();
        CHECK(received.second == End::fin);
        CHECK((received.first == there));
        client_sends.join();
        far_sends.join();
        const FlowReport report = relay.only_report();
        CHECK(report.end == FlowEnd::finished);
        CHECK(report.bytes_to_far == there.size());
        CHECK(report.bytes_to_client == back.size());
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("a FIN follows the last byte and leaves the other direction open") {
    for (const bool client_first : {true, false}) {
        CAPTURE(client_first);
        RunningRelay relay;
        Ends ends = join(relay);
        Connection& first = client_first ? ends.client : ends.far;
        Connection& second = client_first ? ends.far : ends.client;
        const std::string request = random_bytes(3'000'000, 5);
        std::thread sends([&] {
            first.send(request);
            first.send_fin();
        });
        const auto received = second.receive_all();
        sends.join();
        CHECK(received.second == End::fin);
        CHECK((received.first == request));
        const std::string answer = random_bytes(3'000'000, 6);
        std::thread answers([&] {
            second.send(answer);
            second.send_fin();
        });
        const auto answered = first.receive_all();
        answers.join();
        CHECK(answered.second == End::fin);
        CHECK((answered.first == answer));
        CHECK(relay.only_report().end == FlowEnd::finished);
    }
}

TEST_CASE("a slow reader stops the sender and loses nothing") {
    RunningRelay relay;
    Ends ends = join(relay, false, 0, 20000);
    const std::string bytes = random_bytes(4'000'000, 7);
    std::thread sends([&] {
        ends.client.send(bytes);
        ends.client.send_fin();
    });
    std::string received;
    while (received.size() < bytes.size()) {
        const std::string piece = ends.far.receive(std::min<std::size_t>(40000, bytes.size() - received.size()));
        if (piece.empty()) break;
        received += piece;
        // The other direction and other flows are not held up.
        if (received.size() % 800000 < 40000) {
            ends.far.send("+");
            CHECK(ends.client.receive(1) == "+");
        }
    }
    sends.join();
    CHECK((received == bytes));
    CHECK(ends.far.wait_for_end() == End::fin);
}

TEST_CASE("an RST goes through, either way, also after a FIN") {
    for (const bool from_client : {true, false})
        for (const bool half_closed : {false, true}) {
            CAPTURE(from_client);
            CAPTURE(half_closed);
            RunningRelay relay;
            Ends ends = join(relay);
            Connection& goes = from_client ? ends.client : ends.far;
            Connection& stays = from_client ? ends.far : ends.client;
            goes.send("hello");
            CHECK(stays.receive(5) == "hello");
            if (half_closed) {
                goes.send_fin();
                CHECK(stays.wait_for_end() == End::fin);
            }
            goes.send_rst();
            if (half_closed)
                CHECK(eventually([&] { return !stays.try_send("x"); }));
            else
                CHECK(stays.wait_for_end() == End::rst);
            CHECK(relay.only_report().end == (from_client ? FlowEnd::reset_by_client : FlowEnd::reset_by_far));
        }
}

TEST_CASE("what was sent before an RST is delivered to a slow reader first") {
    RunningRelay relay;
    Ends ends = join(relay, false, 0, 20000);
    const std::string bytes = random_bytes(300'000, 8);
    std::thread reads([&] {
        std::string received = ends.client.receive(200'000);
        // The rest of it is in the relay by now.
        received += ends.client.receive_all().first;
        CHECK((bytes.starts_with(received)));
        CHECK(received.size() > 200'000);
    });
    ends.far.send(bytes);
    ends.far.send_rst();
    reads.join();
    CHECK(relay.only_report().end == FlowEnd::reset_by_far);
}

TEST_CASE("a formal success that ends without a byte is a refusal") {
    RunningRelay relay;
    Ends ends = join(relay, true);
    ends.client.send("GET / HTTP/1.0\r\n\r\n");
    CHECK(ends.far.receive(18).size() == 18);
    ends.far.send_fin();
    CHECK(ends.client.wait_for_end() == End::rst);
    CHECK(relay.only_report().end == FlowEnd::refused);
}

TEST_CASE("an end without a byte is an end when the success was true, something was said, or the client is done") {
    SUBCASE("true success") {
        RunningRelay relay;
        Ends ends = join(relay, false);
        ends.far.send_fin();
        CHECK(ends.client.wait_for_end() == End::fin);
    }
    SUBCASE("something was said before") {
        RunningRelay relay;
        Ends ends = join(relay, true, 502);
        ends.far.send("x");
        ends.far.send_fin();
        ends.client.send_fin();
        CHECK(ends.client.receive_all() == std::pair(std::string("x"), End::fin));
        // What was passed on before counts.
        CHECK(relay.only_report().bytes_to_client == 503);
    }
    SUBCASE("something was said before, and nothing since") {
        RunningRelay relay;
        Ends ends = join(relay, true, 1);
        ends.far.send_fin();
        CHECK(ends.client.wait_for_end() == End::fin);
    }
    SUBCASE("something was said") {
        RunningRelay relay;
        Ends ends = join(relay, true);
        ends.far.send("x");
        ends.far.send_fin();
        CHECK(ends.client.receive_all() == std::pair(std::string("x"), End::fin));
    }
    SUBCASE("the client is done") {
        RunningRelay relay;
        Ends ends = join(relay, true);
        ends.client.send_fin();
        CHECK(ends.far.wait_for_end() == End::fin);
        ends.far.send_fin();
        CHECK(ends.client.wait_for_end() == End::fin);
        CHECK(relay.only_report().end == FlowEnd::finished);
    }
}

TEST_CASE("flows that rest too long are ended, others are not") {
    RunningRelay relay(1000, {.idle = std::chrono::hours(2), .half_closed = std::chrono::minutes(5)});
    Ends open = join(relay);
    Ends half = join(relay);
    open.client.send("a");
    CHECK(open.far.receive(1) == "a");
    half.client.send_fin();
    CHECK(half.far.wait_for_end() == End::fin);
    relay.tick_in(std::chrono::minutes(4));
    half.far.send("still");
    CHECK(half.client.receive(5) == "still");
    relay.tick_in(std::chrono::minutes(6));
    CHECK(half.client.wait_for_end() == End::rst);
    open.far.send("b");
    CHECK(open.client.receive(1) == "b");
    relay.tick_in(std::chrono::hours(3));
    CHECK(open.client.wait_for_end() == End::rst);
    CHECK(open.far.wait_for_end() == End::rst);
    CHECK(eventually([&] { return relay.ends() == std::vector{FlowEnd::idle, FlowEnd::idle}; }));
}

TEST_CASE("few pipes are large, and these are lent out first") {
    const std::size_t before = open_descriptors();
    {
        PipePool pool(65536, 3, 1);
        std::vector<std::unique_ptr<Pipe>> pipes;
        for (int i = 0; i < 3; ++i) pipes.push_back(pool.take());
        CHECK(pipes[0]->size == large_pipe);
        CHECK(pipes[1]->size == 65536);
        CHECK(pipes[2]->size == 65536);
        CHECK(pool.take() == nullptr);
        for (auto& pipe : pipes) pool.give_back(std::move(pipe));
        CHECK(pool.open() == 3);
        auto large = pool.take();
        CHECK(large->size == large_pipe);
        auto other = pool.take();
        CHECK(other->size == 65536);
        // One that has to be closed is replaced.
        large->held = 1;
        pool.give_back(std::move(large));
        CHECK(pool.open() == 2);
        CHECK(pool.take()->size == large_pipe);
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("idle flows hold no pipes, and nothing is left of ended ones") {
    const std::size_t before = open_descriptors();
    {
        RunningRelay relay;
        std::vector<Ends> flows;
        for (int i = 0; i < 100; ++i) flows.push_back(join(relay));
        for (Ends& ends : flows) ends.client.send("ping");
        for (Ends& ends : flows) CHECK(ends.far.receive(4) == "ping");
        for (Ends& ends : flows) ends.far.send("pong");
        for (Ends& ends : flows) CHECK(ends.client.receive(4) == "pong");
        // One thread moves one flow at a time.
        CHECK(relay.open_pipes() <= 2);
        for (std::size_t i = 0; i < flows.size(); ++i) (i % 2 ? flows[i].client : flows[i].far).send_rst();
        CHECK(eventually([&] { return relay.ends().size() == flows.size(); }));
    }
    CHECK(open_descriptors() == before);
}

TEST_CASE("stopping resets every flow, full pipes included") {
    const std::size_t before = open_descriptors();
    {
        std::optional<RunningRelay> relay(std::in_place);
        Ends ends = join(*relay, false, false, 20000);
        const std::string bytes = random_bytes(2'000'000, 9);
        std::thread sends([&] { CHECK(!ends.client.try_send(bytes)); });
        CHECK(ends.far.receive(1).size() == 1);
        CHECK(eventually([&] { return relay->open_pipes() == 1; }));
        relay.reset();
        sends.join();
        CHECK(ends.far.wait_for_end() == End::rst);
    }
    CHECK(open_descriptors() == before);
}
