// SPDX-License-Identifier: GPL-3.0-or-later
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include <asio/local/stream_protocol.hpp>
#include <asio/read.hpp>
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/support/temporary_directory.h"
#include "tunnel/status_socket.h"
#include "tunnel_socks_server.h"

using namespace natctl;
using namespace natctl::test;

namespace {

std::string read_all(const std::string& path) {
    asio::io_context io;
    asio::local::stream_protocol::socket socket(io);
    socket.connect(asio::local::stream_protocol::endpoint(path));
    std::string text;
    std::error_code error;
    asio::read(socket, asio::dynamic_buffer(text), error);
    CHECK(error == asio::error::eof);
    return text;
}

} // namespace

TEST_CASE("a status is one line of JSON, whatever proxies say") {
    Status status;
    status.tcp["peer b by socks5 127.0.0.1:1080"] = {.open = 1, .ended = 2, .bytes_to_far = 3, .bytes_to_client = 4};
    status.proxies = {{{*Address::parse("127.0.0.1"), 1080},
                       false,
                       std::chrono::seconds(7),
                       "re\xff"
                       "used\n"}};
    status.failures = {{"direct", "cannot connect", 5}};
    status.drops = {{"too large for the link", 6}};
    const auto text = to_json(status);
    CHECK(text.find('\n') == text.size() - 1);
    const auto json = nlohmann::json::parse(text);
    CHECK(json["version"] == 1);
    CHECK(json["tcp"][0]["way"] == "peer b by socks5 127.0.0.1:1080");
    CHECK(json["tcp"][0]["bytes_to_client"] == 4);
    CHECK(json["udp"].empty());
    CHECK(json["proxies"][0]["seconds"] == 7);
    CHECK(!json["proxies"][0]["up"]);
    CHECK(json["failures"][0]["count"] == 5);
    CHECK(json["drops"][0]["cause"] == "too large for the link");
    CHECK(json["drops"][0]["count"] == 6);
}

TEST_CASE("rates are what has moved since an earlier status") {
    Status before;
    before.tcp["direct"] = {.open = 1, .bytes_to_far = 100, .bytes_to_client = 5000};
    Status now;
    now.tcp["direct"] = {.open = 1, .bytes_to_far = 1100, .bytes_to_client = 4000};
    now.udp["peer b"] = {.open = 1, .bytes_to_far = 15, .bytes_to_client = 0};
    add_rates(now, before, 10);
    CHECK(now.tcp["direct"].to_far_per_second == 100);
    // A thread was missing.
    CHECK(now.tcp["direct"].to_client_per_second == 0);
    CHECK(now.udp["peer b"].to_far_per_second == 2);
    add_rates(now, before, 0);
    CHECK(now.tcp["direct"].to_far_per_second == 0);
    const auto json = nlohmann::json::parse(to_json(now));
    CHECK(json["udp"][0]["bytes_to_far_per_second"] == 0);
    CHECK(json["limits"]["flows"] == 0);
}

TEST_CASE("whoever connects is told, one after the other, and the file goes with the program") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/run/natctl-tunnel.sock";
    // What a program that was killed has left.
    std::filesystem::create_directory(directory.path() + "/run");
    std::ofstream(path) << "old";
    asio::io_context io;
    int asked = 0;
    {
        const StatusSocket socket(io, path, [&] { return std::to_string(++asked) + "\n"; });
        const auto allowed = std::filesystem::status(path).permissions();
        CHECK((allowed & std::filesystem::perms::others_all) == std::filesystem::perms::none);
        std::thread thread([&] { io.run(); });
        CHECK(read_all(path) == "1\n");
        CHECK(read_all(path) == "2\n");
        io.stop();
        thread.join();
    }
    CHECK(!std::filesystem::exists(path));
}

TEST_CASE("traffic is counted to the byte while flows are open, and when they have ended") {
    TestListener target;
    SocksServer server;
    server.allow(target.endpoint().address);
    server.start();
    const auto told = [&] {
        auto answer = std::make_shared<std::promise<TrafficByWay>>();
        (**server.worker).tell([answer](const Status& status) { answer->set_value(status.tcp); });
        return answer->get_future().get()["direct"];
    };
    CHECK(told() == WayTraffic{});
    const std::string there = random_bytes(300'000, 1);
    const std::string back = random_bytes(70'000, 2);
    {
        auto client = server.client();
        client.send({"\5\1\0", 3});
        client.send(string_of(socks5::request(socks5::Command::connect, socks5::Destination::of(target.endpoint()))));
        CHECK(client.receive(2 + 10).size() == 12);
        auto far = target.accept();
        std::thread sends([&] { client.send(there); });
        CHECK((far.receive(there.size()) == there));
        sends.join();
        far.send(back);
        CHECK((client.receive(back.size()) == back));
        CHECK(told() == WayTraffic{.open = 1, .bytes_to_far = there.size(), .bytes_to_client = back.size()});
        client.send_fin();
        far.send_fin();
        CHECK(client.receive_all().second == End::fin);
    }
    while (told().open > 0) std::this_thread::yield();
    CHECK(told() == WayTraffic{.ended = 1, .bytes_to_far = there.size(), .bytes_to_client = back.size()});
}

TEST_CASE("failures are counted by kind, and the kinds are bounded") {
    FlowLog log;
    const Endpoint from{*Address::parse("192.0.2.1"), 1};
    for (int i = 0; i < 3; ++i) log.failed(from, "a", "peer b", "refused", "");
    CHECK(log.failures().size() == 1);
    CHECK(log.failures()[0].count == 3);
    for (int i = 0; i < 1000; ++i) log.failed(from, "a", "peer b", "cause " + std::to_string(i), "");
    const auto all = log.failures();
    CHECK(all.size() <= 257);
    std::uint64_t sum = 0;
    for (const auto& failure : all) sum += failure.count;
    CHECK(sum == 1003);
}
