// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/resolve.h"

#include <fstream>
#include <future>

#include <doctest/doctest.h>

#include "tests/support/temporary_directory.h"

using namespace natctl;
using namespace std::chrono_literals;

namespace {

Address at(const char* text) { return *Address::parse(text); }

} // namespace

TEST_CASE("names are resolved side by side; what takes too long is absent and does not hold up the rest") {
    std::promise<void> release;
    const auto released = release.get_future().share();
    const auto look_up = [released](const std::string& name) -> std::vector<Address> {
        if (name == "slow") released.wait();
        if (name == "none") return {};
        return {at("203.0.113.9"), at("203.0.113.5"), at("203.0.113.9")};
    };
    std::vector<std::string> names{"slow", "none"};
    for (int i = 0; i < 40; ++i) names.push_back("host" + std::to_string(i));
    const auto start = std::chrono::steady_clock::now();
    const auto found = resolve(names, 300ms, look_up);
    CHECK(std::chrono::steady_clock::now() - start < 10s);
    CHECK(found.size() == 40);
    CHECK(found.at("host39") == std::vector{at("203.0.113.5"), at("203.0.113.9")});
    CHECK(!found.contains("slow"));
    CHECK(!found.contains("none"));
    release.set_value();
    CHECK(resolve({"host"}, 10s, look_up).size() == 1);
    CHECK(resolve({}, 10s, look_up).empty());
}

TEST_CASE("addresses are no names to resolve, and localhost resolves") {
    Site site;
    site.white_list.endpoints = {"203.0.113.5", "proxy.example.net", "2001:db8::1"};
    CHECK(endpoint_names(site) == std::vector<std::string>{"proxy.example.net"});
    const auto found = look_up_host("localhost");
    CHECK(!found.empty());
    for (const auto& address : found) CHECK(address.is_loopback());
    CHECK(look_up_host("natctl-test.invalid").empty());
}

TEST_CASE("the last known addresses stand in for what does not resolve") {
    const Endpoints last{{"a", {at("203.0.113.1")}}, {"b", {at("203.0.113.2")}}, {"old", {at("203.0.113.3")}}};
    const auto result = complete({"a", "b", "c"}, {{"a", {at("203.0.113.9")}}}, last);
    CHECK(result.endpoints == Endpoints{{"a", {at("203.0.113.9")}}, {"b", {at("203.0.113.2")}}});
    CHECK(result.remembered == std::vector<std::string>{"b"});
    CHECK(result.unresolved == std::vector<std::string>{"c"});
}

TEST_CASE("endpoints survive a restart; damage is as good as nothing") {
    const test::TemporaryDirectory folder;
    CHECK(read_endpoints(folder.path()).empty());
    const Endpoints endpoints{{"a.example", {at("203.0.113.1"), at("2001:db8::1")}},
                              {"b.example", {at("203.0.113.2")}}};
    write_endpoints(folder.path() + "/sub", endpoints);
    CHECK(read_endpoints(folder.path() + "/sub") == endpoints);
    for (const char* text : {"", "[", "[]", "{\"a\": 1}", "{\"a\": [1, \"x\", {}]}", "{\"a\": {\"b\": 1}}"}) {
        std::ofstream(folder.path() + "/endpoints.json") << text;
        CHECK(read_endpoints(folder.path()).empty());
    }
}
