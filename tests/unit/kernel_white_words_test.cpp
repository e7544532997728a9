// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/white_words.h"

#include <stdexcept>

#include <doctest/doctest.h>

using namespace natctl;
using std::chrono::nanoseconds;

namespace {

Prefix prefix(const char* text) { return *Prefix::parse(text); }

Site site() {
    Site site;
    site.name = "a";
    site.lan = {"lan0"};
    site.maps = {{prefix("240.1.1.0/24"), prefix("192.168.1.0/24"), {}, {}}};
    site.embedding_maps = {{prefix("fd00:a::/96"), {prefix("192.168.1.0/24")}, {}}};
    site.peers.push_back({.name = "b",
                          .virtual_prefixes = {prefix("240.2.2.0/25"), prefix("240.2.2.128/25")},
                          .links = {DevLink{.dev = "wg0"}},
                          .at = {}});
    site.white_list = {
        .prefixes = {prefix("203.0.113.0/24")}, .endpoints = {"proxy.example.net"}, .private_networks = true};
    return site;
}

RunTimeRecord record(const char* text, std::optional<nanoseconds> deadline = {}, const char* name = "") {
    return {prefix(text), deadline, name};
}

std::string mistake(auto act) {
    try {
        act();
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
    return "none";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::vector<Address> nothing(const std::string&) { return {}; }

} // namespace

TEST_CASE("a word is an address, a prefix or a name") {
    CHECK(white_word("203.0.113.5").prefix == prefix("203.0.113.5/32"));
    CHECK(white_word("203.0.113.5/24").prefix == prefix("203.0.113.0/24"));
    CHECK(white_word("2001:db8::1").prefix == prefix("2001:db8::1/128"));
    CHECK(white_word("0.0.0.0/0").prefix == prefix("0.0.0.0/0"));
    CHECK(white_word("proxy.example.net") == WhiteWord{.text = "proxy.example.net", .prefix = {}});
    for (const char* odd :
         {"", "a b", "203.0.113.0/33", "203.0.113.256", "203.0.113.5:443", "[2001:db8::1]:443", "-a", "a..b"})
        CHECK_MESSAGE(has(mistake([&] { white_word(odd); }), "proxy.example.net"), odd);
    for (const char* mapped : {"::ffff:203.0.113.5", "::ffff:0:0/96", "::ffff:203.0.113.0/120"})
        CHECK_MESSAGE(has(mistake([&] { white_word(mapped); }), "IPv4 address in IPv6 form"), mapped);
}

TEST_CASE("names are looked up, and remembered with each address") {
    const auto look_up = [](const std::string& name) {
        CHECK(name == "a.example");
        return std::vector{*Address::parse("203.0.113.5"), *Address::parse("2001:db8::5")};
    };
    CHECK(records_for({white_word("10.0.0.0/8"), white_word("a.example")}, nanoseconds(7), look_up) ==
          std::vector{record("10.0.0.0/8", nanoseconds(7)), record("203.0.113.5", nanoseconds(7), "a.example"),
                      record("2001:db8::5", nanoseconds(7), "a.example")});
    CHECK(has(mistake([] { records_for({white_word("a.example")}, {}, nothing); }), "getent ahosts a.example"));
}

TEST_CASE("virtual addresses are never spared") {
    CHECK(has(mistake([] { spared(site(), {record("240.2.2.20")}); }),
              "240.2.2.20 to the white list: it lies in 240.2.2.0/25 of peer b"));
    CHECK(has(mistake([] { spared(site(), {record("240.1.1.0/24")}); }), "240.1.1.0/24 of this site"));
    CHECK(has(mistake([] { spared(site(), {record("fd00:a::c0a8:101")}); }), "fd00:a::/96 of this site"));
    // In several together.
    CHECK(has(mistake([] { spared(site(), {record("240.2.2.0/24")}); }), "it lies in virtual prefixes"));
    const std::vector wider{record("240.0.0.0/4"), record("0.0.0.0/0")};
    CHECK(spared(site(), wider) == wider);

    // Of a name, those that are left count.
    const std::vector both{record("240.2.2.20", {}, "odd.example"), record("8.8.8.8", {}, "odd.example")};
    CHECK(spared(site(), both) == std::vector{both[1]});
    CHECK(has(mistake([&] { spared(site(), {both[0], record("8.8.8.8")}); }), "odd.example (240.2.2.20)"));
}

TEST_CASE("adding again replaces") {
    const std::vector list{record("203.0.113.5", nanoseconds(5)), record("10.0.0.0/8")};
    CHECK(with_added(list,
                     {record("203.0.113.5", {}, "a.example"), record("8.8.8.8"), record("8.8.8.8", nanoseconds(9))}) ==
          std::vector{record("203.0.113.5", {}, "a.example"), record("10.0.0.0/8"), record("8.8.8.8", nanoseconds(9))});
}

TEST_CASE("only what was added can be deleted, all of it or nothing") {
    const std::vector list{record("8.8.8.0/24"), record("203.0.113.5", {}, "a.example"),
                           record("2001:db8::5", {}, "a.example")};
    const auto deleted = [&](std::vector<std::string> texts) {
        std::vector<WhiteWord> words;
        for (const auto& text : texts) words.push_back(white_word(text));
        return without_deleted(site(), list, words);
    };
    CHECK(deleted({"8.8.8.0/24", "203.0.113.5"}) == std::vector{list[2]});
    CHECK(deleted({"a.example"}) == std::vector{list[0]});
    const auto refusal = [&](const char* text) { return mistake([&] { deleted({"8.8.8.0/24", text}); }); };
    CHECK(has(refusal("203.0.113.0/24"), "site.toml has it, under prefixes in [white_list]"));
    CHECK(has(refusal("203.0.113.9"), "site.toml has it, in prefix 203.0.113.0/24 in [white_list]"));
    CHECK(has(refusal("proxy.example.net"), "site.toml has it, under endpoints in [white_list]"));
    CHECK(has(refusal("10.1.0.0/16"), "site.toml has it, by private = true in [white_list]"));
    CHECK(has(refusal("8.8.8.8"), "8.8.8.0/24 was: delete that"));
    CHECK(has(refusal("9.9.9.9"), "cannot delete 9.9.9.9 from the white list: it was not added at run time"));
    CHECK(has(refusal("b.example"), "natctl whitelist list"));
}
