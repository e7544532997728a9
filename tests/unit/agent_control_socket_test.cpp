// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/control_socket.h"
#include "agent/loop.h"
#include "nftctl/socket/unix_address.h"
#include "tests/support/temporary_directory.h"

using namespace natctl;
using natctl::test::TemporaryDirectory;

namespace {

using Clock = Loop::Clock;

/// A socket that answers each line with the line, "watch" with watching, "tell" with an event to those who watch, and
/// "long" with much.
struct Fixture {
    static constexpr std::size_t much = 10 << 20;

    TemporaryDirectory directory;
    Loop loop;
    std::vector<std::string> asked;
    ControlSocket control{loop, directory.path() + "/socket", "", "hello\n",
                          [this](std::string_view line, uid_t user) { return answer(line, user); }};

    ControlSocket::Answer answer(std::string_view line, uid_t user) {
        CHECK(user == ::getuid());
        asked.emplace_back(line);
        if (line == "tell") control.tell("event\n");
        if (line == "long") return {std::string(much, 'x') + "\n"};
        return {std::string(line) + "\n", line == "watch"};
    }

    Fd connect() {
        const auto address = unix_address(directory.path() + "/socket");
        Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0);
        return client;
    }
    static void say(const Fd& client, const std::string& text) {
        REQUIRE(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
    }
    void run_until(const std::function<bool()>& condition) {
        const auto end = Clock::now() + std::chrono::seconds(20);
        while (!condition()) {
            REQUIRE(Clock::now() < end);
            loop.wait(Clock::now() + std::chrono::milliseconds(10));
        }
    }
    /// What has come, read once more. False: it was hung up on.
    static bool read(const Fd& client, std::string& text) {
        std::array<char, 65536> part;
        while (true) {
            const auto count = ::recv(client.get(), part.data(), part.size(), 0);
            if (count <= 0) return count < 0 && errno == EAGAIN;
            text.append(part.data(), static_cast<std::size_t>(count));
        }
    }
    std::string read_until(const Fd& client, std::size_t size) {
        std::string text;
        run_until([&] { return !read(client, text) || text.size() >= size; });
        return text;
    }
};

} // namespace

TEST_CASE("lines are answered in their order, also those of one who has hung up halfway") {
    Fixture fixture;
    const auto client = fixture.connect();
    fixture.say(client, "one\ntwo\nthr");
    CHECK(fixture.read_until(client, 14) == "hello\none\ntwo\n");
    fixture.say(client, "ee\nfour");
    ::shutdown(client.get(), SHUT_WR);
    CHECK(fixture.read_until(client, 7) == "three\n");
    CHECK(fixture.asked == std::vector<std::string>{"one", "two", "three"});
}

TEST_CASE("one who watches and goes while its own line is told of is dropped afterwards") {
    Fixture fixture;
    auto client = fixture.connect();
    fixture.say(client, "watch\n");
    CHECK(fixture.read_until(client, 12) == "hello\nwatch\n");
    fixture.say(client, "tell\nafter\n");
    client = Fd();
    fixture.run_until([&] { return fixture.asked.size() > 1; });
    const auto other = fixture.connect();
    fixture.say(other, "last\n");
    CHECK(fixture.read_until(other, 11) == "hello\nlast\n");
}

TEST_CASE("an answer may be long, and what is asked after it waits and is done once") {
    Fixture fixture;
    const auto client = fixture.connect();
    fixture.say(client, "long\ntwo\nthree\n");
    const auto text = fixture.read_until(client, Fixture::much + 17);
    CHECK(text.size() == Fixture::much + 17);
    CHECK(text.ends_with("x\ntwo\nthree\n"));
    CHECK(fixture.asked == std::vector<std::string>{"long", "two", "three"});
}

TEST_CASE("of one who does not take its answers nothing more is read") {
    Fixture fixture;
    const auto silent = fixture.connect();
    fixture.say(silent, "long\nlong\nlong\n");
    const auto client = fixture.connect();
    for (int i = 0; i < 10; ++i) {
        fixture.say(client, "x\n");
        fixture.read_until(client, 2);
    }
    CHECK(std::ranges::count(fixture.asked, "long") == 1);
}

TEST_CASE("one who watches and never reads is dropped") {
    Fixture fixture;
    const auto silent = fixture.connect();
    fixture.say(silent, "watch\n");
    fixture.run_until([&] { return !fixture.asked.empty(); });
    const std::string event(65536, 'e');
    for (int i = 0; i < 100; ++i) fixture.control.tell(event);
    std::string text;
    fixture.run_until([&] { return !Fixture::read(silent, text); });
    CHECK(text.size() < 100 * event.size());
}

TEST_CASE("a line without an end is refused") {
    Fixture fixture;
    const auto client = fixture.connect();
    const std::string part(16384, 'x');
    for (int i = 0; i < 4; ++i) {
        fixture.say(client, part);
        fixture.loop.wait(Clock::now() + std::chrono::milliseconds(10));
    }
    std::string text;
    fixture.run_until([&] { return !Fixture::read(client, text); });
    CHECK(text.find("at most 65536 bytes") != std::string::npos);
    CHECK(fixture.asked.empty());
}
