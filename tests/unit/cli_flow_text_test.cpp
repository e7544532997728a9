// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nftctl/cli/flow_text.h"
#include "nftctl/plan/live_flow_json.h"

using namespace natctl;
using namespace std::chrono_literals;

namespace {

using WallTime = std::chrono::system_clock::time_point;

Address at(const char* text) { return Address::parse(text).value(); }

LiveFlow web() {
    LiveFlow flow{.real = at("192.168.1.20"), .far = at("240.2.2.20"), .peer = "b"};
    flow.virtual_address = at("240.1.1.20");
    flow.connection.original = {at("192.168.1.20"), at("240.2.2.20"), 40000, 80};
    flow.connection.reply = {at("240.2.2.20"), at("240.1.1.20"), 80, 40000};
    flow.connection.protocol = 6;
    flow.connection.tcp_state = 3;
    flow.connection.timeout = 600;
    return flow;
}

LiveFlow counted_ping() {
    LiveFlow flow{.began = Began::there, .real = at("10.10.10.7"), .name = "printer", .far = at("240.2.2.9")};
    flow.peer = "b";
    flow.virtual_address = at("240.1.1.200");
    flow.connection.original = {at("240.2.2.9"), at("240.1.1.200"), 0, 0, IcmpQuery{.id = 77, .type = 8}};
    flow.connection.protocol = 1;
    flow.connection.sent = Traffic{2, 168};
    flow.connection.received = Traffic{1, 1500};
    flow.connection.began = 1'000'000'000'000;
    return flow;
}

} // namespace

TEST_CASE("flows as a table") {
    const std::vector<LiveFlow> flows{web(), counted_ping()};
    CHECK(
        flow_table(json_of(flows, WallTime(1090s))) ==
        "PROTO  HERE                KNOWN AS     NAME         THERE          PEER  PATH  SENT / RECEIVED  AGE   STATE\n"
        "tcp    192.168.1.20:40000  240.1.1.20   -        ->  240.2.2.20:80  b     link  - / -            -     "
        "established\n"
        "icmp   10.10.10.7          240.1.1.200  printer  <-  240.2.2.9      b     link  1.5 kB / 168 B   90 s\n");
    CHECK(flow_table(json_of(std::vector<LiveFlow>{}, WallTime(0s))) == "no flows\n");
}

TEST_CASE("flows as JSON") {
    const auto json =
        nlohmann::json::parse(flow_json(json_of(std::vector{web(), counted_ping()}, WallTime(1090s)), false));
    REQUIRE(json.size() == 2);
    CHECK(json[0]["protocol"] == "tcp");
    CHECK(json[0]["real"] == "192.168.1.20");
    CHECK(json[0]["virtual"] == "240.1.1.20");
    CHECK(json[0]["port"] == 40000);
    CHECK(json[0]["far_port"] == 80);
    CHECK(json[0]["state"] == "established");
    CHECK(json[0]["name"].is_null());
    CHECK(json[0]["sent"].is_null());
    CHECK(json[0]["age_seconds"].is_null());
    CHECK(json[1]["name"] == "printer");
    CHECK(json[1]["began"] == "there");
    CHECK(json[1]["sent"]["bytes"] == 1500);
    CHECK(json[1]["received"]["packets"] == 2);
    CHECK(json[1]["age_seconds"] == 90);
    CHECK(json[1]["icmp_id"] == 77);
    CHECK(json[1]["port"].is_null());
}

TEST_CASE("sizes and ages in words") {
    CHECK(size_text(0) == "0 B");
    CHECK(size_text(999) == "999 B");
    CHECK(size_text(1000) == "1.0 kB");
    CHECK(size_text(9949) == "9.9 kB");
    CHECK(size_text(9960) == "10 kB");
    CHECK(size_text(999'499) == "999 kB");
    CHECK(size_text(999'600) == "1.0 MB");
    CHECK(size_text(UINT64_MAX) == "18 EB");
    CHECK(age_text(0s) == "0 s");
    CHECK(age_text(119s) == "119 s");
    CHECK(age_text(120s) == "2 min");
    CHECK(age_text(3h) == "3 h");
    CHECK(age_text(72h) == "3 d");
}
