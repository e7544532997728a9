// SPDX-License-Identifier: GPL-3.0-or-later
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "agent/change_words.h"
#include "agent/control.h"
#include "agent/request.h"

using namespace natctl;
using namespace std::chrono_literals;

namespace {

/// One line of JSON and nothing else.
nlohmann::json parsed(const std::string& line) {
    REQUIRE(line.find('\n') == line.size() - 1);
    return nlohmann::json::parse(line);
}

} // namespace

TEST_CASE("requests are read, and what is none is refused with what would be one") {
    const auto what = [](const char* line) { return std::get<control::Request>(control::parse(line)).what; };
    CHECK(what(R"({"do":"status"})") == control::What::status);
    CHECK(what(R"({ "do" : "rollback" })") == control::What::rollback);
    CHECK(what(R"({"do":"whitelist"})") == control::What::whitelist);
    const auto add = std::get<control::Request>(
        control::parse(R"({"do":"whitelist","seconds":60,"add":["203.0.113.0/24","2001:db8::1"]})"));
    CHECK(add.add == std::vector<std::string>{"203.0.113.0/24", "2001:db8::1"});
    CHECK(add.lifetime == 60s);
    CHECK(add.names.empty());
    const auto named = std::get<control::Request>(
        control::parse(R"({"do":"whitelist","add":["proxy.test"],"names":{"proxy.test":["203.0.113.5"]}})"));
    CHECK(named.names.at("proxy.test") == std::vector<std::string>{"203.0.113.5"});
    const auto del = std::get<control::Request>(control::parse(R"({"do":"whitelist","del":["proxy.test"]})"));
    CHECK(del.del == std::vector<std::string>{"proxy.test"});
    CHECK(!del.lifetime);
    const auto flows =
        std::get<control::Request>(control::parse(R"({"do":"flows","peer":"b","host":"printer","limit":7})"));
    CHECK(flows.what == control::What::flows);
    CHECK(flows.peer == "b");
    CHECK(flows.host == "printer");
    CHECK(flows.limit == 7);
    CHECK_FALSE(flows.protocol.has_value());
    const auto some = std::get<control::Request>(control::parse(R"({"do":"flows","protocol":"udp","port":53})"));
    CHECK(some.protocol == 17);
    CHECK(some.port == 53);
    CHECK(std::get<control::Request>(control::parse(R"({"do":"flows"})")).limit == control::usual_flows);
    const auto apply = std::get<control::Request>(control::parse(R"({"do":"apply","confirm":60})"));
    CHECK(apply.what == control::What::apply);
    CHECK(apply.trial == 60s);
    CHECK(!std::get<control::Request>(control::parse(R"({"do":"apply"})")).trial);
    CHECK(std::get<control::Request>(control::parse(R"({"do":"apply","config":"/a.toml"})")).config == "/a.toml");
    CHECK(std::get<control::Request>(control::parse(R"({"do":"down"})")).what == control::What::down);
    for (const char* line : {"",
                             "status",
                             "{}",
                             "[]",
                             "null",
                             "7",
                             R"("status")",
                             R"({"do":7})",
                             R"({"do":null})",
                             R"({"do":"statu"})",
                             R"({"do":"status","x":1})",
                             R"({"DO":"status"})",
                             R"({"do":"status"}{"do":"status"})",
                             "\xff\xfe",
                             R"({"do":"status")",
                             R"({"do":"whitelist","add":[]})",
                             R"({"do":"whitelist","add":"203.0.113.1"})",
                             R"({"do":"whitelist","add":[7]})",
                             R"({"do":"whitelist","seconds":5})",
                             R"({"do":"whitelist","names":{"proxy.test":["192.0.2.1"]}})",
                             R"({"do":"whitelist","add":["proxy.test"],"names":["192.0.2.1"]})",
                             R"({"do":"whitelist","add":["proxy.test"],"names":{"proxy.test":[]}})",
                             R"({"do":"whitelist","add":["proxy.test"],"names":{"proxy.test":"192.0.2.1"}})",
                             R"({"do":"whitelist","add":["192.0.2.1"],"seconds":0})",
                             R"({"do":"whitelist","add":["192.0.2.1"],"seconds":1e300})",
                             R"({"do":"whitelist","add":["192.0.2.1"],"seconds":18446744073709551615})",
                             R"({"do":"whitelist","add":["192.0.2.1"],"del":["192.0.2.1"]})",
                             R"({"do":"whitelist","Add":["192.0.2.1"]})",
                             R"({"do":"apply","confirm":0})",
                             R"({"do":"apply","confirm":86401})",
                             R"({"do":"apply","confirm":"60"})",
                             R"({"do":"apply","seconds":60})",
                             R"({"do":"apply","config":"a.toml"})",
                             R"({"do":"apply","config":7})",
                             R"({"do":"down","confirm":60})",
                             R"({"do":"flows","limit":0})",
                             R"({"do":"flows","limit":1000000})",
                             R"({"do":"flows","limit":"7"})",
                             R"({"do":"flows","peer":7})",
                             R"({"do":"flows","protocol":"x"})",
                             R"({"do":"flows","protocol":6})",
                             R"({"do":"flows","port":0})",
                             R"({"do":"flows","port":65536})",
                             R"({"do":"flows","ports":7})"}) {
        const auto mistake = control::parse(line);
        REQUIRE(std::holds_alternative<std::string>(mistake));
        CHECK(!parsed(control::refusal(std::get<std::string>(mistake))).at("ok"));
    }
    CHECK(std::get<std::string>(control::parse(R"({"do":"x"})")).find("status, watch, apply") != std::string::npos);
}

TEST_CASE("answers are lines of JSON, whatever the names in them") {
    CHECK(parsed(control::hello("/etc/natctl/site.toml", "/var/lib/natctl")).at("version") == 1);
    control::State state{.running = 90s, .site = "a\"\n", .failure = "cannot \xff", .names = {}, .events = {}};
    state.names.push_back({"proxy.test", {*Address::parse("192.0.2.1"), *Address::parse("2001:db8::1")}, ""});
    state.names.push_back({"other.test", {}, "SERVFAIL"});
    state.events.push_back({std::chrono::system_clock::time_point(1s), Weight::warning, "line\nbreak"});
    const auto status = parsed(control::answer(state)).at("status");
    CHECK(status.at("site") == "a\"\n");
    CHECK(status.at("seconds") == 90);
    CHECK(status.at("names").at(0).at("addresses") == nlohmann::json{"192.0.2.1", "2001:db8::1"});
    CHECK(status.at("names").at(0).at("failure").is_null());
    CHECK(status.at("names").at(1).at("failure") == "SERVFAIL");
    CHECK(status.at("events").at(0) ==
          nlohmann::json{{"time", "1970-01-01T00:00:01Z"}, {"weight", "warning"}, {"text", "line\nbreak"}});
    CHECK(parsed(control::event(state.events.front())).at("event").at("weight") == "warning");
    CHECK(parsed(control::answer(Transaction{}, true)) ==
          nlohmann::json{{"ok", true}, {"changed", false}, {"changes", ""}});
    CHECK(parsed(control::answer(control::State{})).at("status").at("site").is_null());
    const std::vector<RunTimeEntry> entries{{*Prefix::parse("203.0.113.0/24"), 1500ms, "proxy.test"},
                                            {*Prefix::parse("2001:db8::1"), {}, ""}};
    CHECK(parsed(control::answer(entries)).at("entries") ==
          nlohmann::json::parse(R"([{"addresses":"203.0.113.0/24","name":"proxy.test","seconds_left":2},
                                    {"addresses":"2001:db8::1/128","name":null,"seconds_left":null}])"));
}

TEST_CASE("a change in a line") {
    CHECK(words_for(Transaction{}).empty());
    const nft::SetSpec white{.name = "white4", .key = {nft::Datatype::ipv4_addr}};
    const nft::SetSpec identity{.name = "identity", .key = {nft::Datatype::ipv6_addr}};
    const auto element = [](const char* text) {
        const auto address = *Address::parse(text);
        return nft::Element(address, address);
    };
    Transaction change;
    change.changes = {nft::DeleteElements{identity, {element("::1")}},
                      nft::DeleteElements{white, {element("192.0.2.1")}},
                      nft::AddElements{identity, {element("::2")}, {}},
                      nft::AddElements{white, {element("192.0.2.2"), element("192.0.2.3")}, {}}};
    CHECK(words_for(change) == "white4 +2 -1");
    change.add_routes.resize(1);
    change.remove_rules.resize(2);
    change.changes.emplace_back(nft::FlushChain{"forged"});
    CHECK(words_for(change) == "white4 +2 -1, rules of forged, 1 route, 2 policy rules");
    change.changes.emplace_back(nft::AddTable{});
    CHECK(words_for(change) == "table inet natctl, 1 route, 2 policy rules");
    change = {};
    change.changes = {nft::AddElements{identity, {element("::2")}, {}}};
    CHECK(words_for(change) == "identity +1");
}
