// SPDX-License-Identifier: GPL-3.0-or-later
#include <doctest/doctest.h>

#include "agent/name_book.h"

using namespace natctl;
using namespace std::chrono_literals;

namespace {

using Kind = NameAnswer::Kind;

constexpr const char* name = "proxy.test";

Address at(const char* text) { return *Address::parse(text); }

struct Scene {
    NameBook::Time now{1000s};
    NameBook book{{}};

    explicit Scene(const Endpoints& last = {}) { book.set({name}, last); }

    void pass(NameBook::Duration time) { now += time; }
    /// What the book asks for now.
    std::vector<Question> asked() { return book.questions(now); }
    void answer(Family family, std::vector<Address> addresses, std::chrono::seconds ttl = 10s) {
        book.answer({name, family}, {.kind = Kind::addresses, .addresses = std::move(addresses), .ttl = ttl}, now);
    }
    void none(Family family) { book.answer({name, family}, {.kind = Kind::none}, now); }
    void failure(Family family) { book.answer({name, family}, {.kind = Kind::failure, .cause = "SERVFAIL"}, now); }
    std::vector<Address> addresses() {
        auto all = book.endpoints(now);
        return all[name];
    }
    /// Everything it has said since the last call.
    std::string said() {
        std::string text;
        for (const auto& message : book.messages()) text += (message.warning ? "! " : "") + message.text + "\n";
        return text;
    }
};

} // namespace

TEST_CASE("a new name is asked for at once in both families, and again after its time to live") {
    Scene scene;
    CHECK(scene.asked() == std::vector<Question>{{name, Family::ipv4}, {name, Family::ipv6}});
    CHECK(scene.asked().empty());
    scene.answer(Family::ipv4, {at("192.0.2.2"), at("192.0.2.1"), at("192.0.2.2")}, 30s);
    scene.answer(Family::ipv6, {at("2001:db8::1")}, 20s);
    CHECK(scene.addresses() == std::vector{at("192.0.2.1"), at("192.0.2.2"), at("2001:db8::1")});
    CHECK(scene.book.due() == scene.now + 20s);
    scene.pass(20s);
    CHECK(scene.asked() == std::vector<Question>{{name, Family::ipv6}});
    scene.pass(10s);
    CHECK(scene.asked() == std::vector<Question>{{name, Family::ipv4}});
}

TEST_CASE("times to live have limits") {
    Scene scene;
    scene.asked();
    scene.answer(Family::ipv6, {at("2001:db8::1")}, 24h);
    scene.answer(Family::ipv4, {at("192.0.2.1")}, 0s);
    CHECK(scene.book.due() == scene.now + 5s);
    scene.answer(Family::ipv4, {at("192.0.2.1")}, 24h);
    CHECK(scene.book.due() == scene.now + 1h);
}

TEST_CASE("a changed address is there at once, and the former one stays for a while") {
    Scene scene;
    scene.asked();
    scene.answer(Family::ipv4, {at("192.0.2.1")});
    scene.none(Family::ipv6);
    scene.pass(10s);
    scene.said();
    scene.asked();
    scene.answer(Family::ipv4, {at("192.0.2.9")}, 3600s);
    CHECK(scene.addresses() == std::vector{at("192.0.2.1"), at("192.0.2.9")});
    CHECK(scene.said() == "proxy.test is 192.0.2.9 now\n"
                          "proxy.test is no longer 192.0.2.1, which stays on the white list for 60 s\n");
    scene.pass(59s);
    CHECK(scene.addresses().size() == 2);
    scene.pass(1s);
    CHECK(scene.addresses() == std::vector{at("192.0.2.9")});
}

TEST_CASE("an address that comes back within its grace stays") {
    Scene scene;
    scene.asked();
    scene.answer(Family::ipv4, {at("192.0.2.1"), at("192.0.2.2")});
    scene.answer(Family::ipv4, {at("192.0.2.2")});
    scene.pass(30s);
    scene.answer(Family::ipv4, {at("192.0.2.1")}, 3600s);
    scene.pass(61s);
    CHECK(scene.addresses() == std::vector{at("192.0.2.1")});
}

TEST_CASE("what does not resolve keeps what it had, says so once and is tried again less and less often") {
    Scene scene;
    scene.asked();
    scene.answer(Family::ipv4, {at("192.0.2.1")});
    scene.answer(Family::ipv6, {at("2001:db8::1")});
    scene.said();
    scene.pass(10s);
    scene.asked();
    scene.failure(Family::ipv4);
    scene.failure(Family::ipv6);
    CHECK(scene.said() == "! proxy.test does not resolve (SERVFAIL): the white list keeps the addresses it had last\n");
    NameBook::Duration last{};
    for (int i = 0; i < 12; ++i) {
        const auto wait = scene.book.due() - scene.now;
        CHECK(wait >= last);
        last = wait;
        scene.pass(wait);
        CHECK(scene.asked().size() == 2);
        scene.failure(Family::ipv4);
        scene.failure(Family::ipv6);
        CHECK(scene.addresses().size() == 2);
    }
    CHECK(last == 60s);
    CHECK(scene.said().empty());

    scene.none(Family::ipv6);
    scene.answer(Family::ipv4, {at("192.0.2.1")});
    scene.said();
    scene.answer(Family::ipv6, {at("2001:db8::1")});
    CHECK(scene.said() == "proxy.test resolves again\n");
}

TEST_CASE("when the network changes, what failed is tried again a second after it did") {
    Scene scene;
    scene.asked();
    for (int i = 0; i < 10; ++i) {
        scene.failure(Family::ipv4);
        scene.failure(Family::ipv6);
    }
    CHECK(scene.said() == "! proxy.test does not resolve (SERVFAIL): it is not on the white list yet\n");
    CHECK(scene.book.due() == scene.now + 60s);
    scene.book.network_changed();
    CHECK(scene.book.due() == scene.now + 1s);
    CHECK(scene.book.endpoints(scene.now).empty());
}

TEST_CASE("it begins with what was known last") {
    Scene scene({{name, {at("2001:db8::1"), at("192.0.2.7"), at("192.0.2.1")}}});
    CHECK(scene.addresses().size() == 3);
    scene.asked();
    scene.failure(Family::ipv4);
    scene.answer(Family::ipv6, {at("2001:db8::1")});
    CHECK(scene.addresses().size() == 3);
    // Names that go, go at once.
    scene.book.set({"other.test"}, {});
    CHECK(scene.book.endpoints(scene.now).empty());
    scene.answer(Family::ipv4, {at("192.0.2.7")});
    CHECK(scene.book.endpoints(scene.now).empty());
}

TEST_CASE("a family without addresses is no failure as long as the other has some") {
    Scene scene;
    scene.asked();
    scene.none(Family::ipv6);
    scene.answer(Family::ipv4, {at("192.0.2.1")});
    CHECK(scene.said() == "proxy.test is 192.0.2.1 now\n");
    // It moves from one family to the other.
    scene.answer(Family::ipv6, {at("2001:db8::1")});
    scene.none(Family::ipv4);
    CHECK(scene.addresses().size() == 2);
    scene.pass(60s);
    CHECK(scene.addresses() == std::vector{at("2001:db8::1")});
    // None of either: the last ones stay.
    scene.said();
    scene.none(Family::ipv6);
    CHECK(scene.said() ==
          "! proxy.test does not resolve (it has no addresses): the white list keeps the addresses it had last\n");
    scene.pass(1h);
    CHECK(scene.addresses() == std::vector{at("2001:db8::1")});
}
