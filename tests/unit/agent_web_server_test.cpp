// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/web_listeners.h"
#include "agent/web_server.h"
#include "tests/support/temporary_directory.h"

using namespace natctl;
using natctl::test::TemporaryDirectory;

namespace {

using Clock = Loop::Clock;

const std::string good = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A server with short limits that answers with the path, or later.
struct Fixture {
    Loop loop;
    std::vector<WebServer::Reply> replies;
    WebServer server{loop,
                     {.connections = 3,
                      .request = std::chrono::milliseconds(100),
                      .whole = std::chrono::milliseconds(300),
                      .goodbye = std::chrono::milliseconds(50)},
                     [this](const web::Request& request, const WebServer::Reply& reply) {
                         if (request.path == "/later")
                             replies.push_back(reply);
                         else
                             reply({.type = "text/plain", .content = request.path});
                     }};

    /// The client's end.
    Fd connect() {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
        server.take(Fd(ends[0]));
        return Fd(ends[1]);
    }

    void run_until(const std::function<bool()>& condition) {
        const auto end = Clock::now() + std::chrono::seconds(20);
        while (!condition()) {
            REQUIRE(Clock::now() < end);
            loop.wait(std::min(server.due(), end));
            server.tend(Clock::now());
        }
    }

    /// What comes until the server hangs up.
    std::string read_all(const Fd& client) {
        std::string text;
        run_until([&] {
            std::array<char, 65536> part;
            ssize_t count = 0;
            while ((count = ::recv(client.get(), part.data(), part.size(), 0)) > 0)
                text.append(part.data(), static_cast<std::size_t>(count));
            return count == 0 || errno == ECONNRESET;
        });
        return text;
    }
};

void say(const Fd& client, const std::string& text) {
    REQUIRE(::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

bool has_ended(const Fd& client) {
    char byte = 0;
    return ::recv(client.get(), &byte, 1, MSG_PEEK) == 0;
}

} // namespace

TEST_CASE("one request on a connection is answered, and it ends") {
    Fixture fixture;
    const auto client = fixture.connect();
    say(client, good.substr(0, 20));
    fixture.loop.wait(Clock::now());
    say(client, good.substr(20) + good);
    const auto text = fixture.read_all(client);
    CHECK(text.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(text.ends_with("\r\n\r\n/metrics"));
}

TEST_CASE("an answer may come later, or for nobody") {
    Fixture fixture;
    const std::string request = "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n";
    auto gone = fixture.connect();
    say(gone, request);
    const auto client = fixture.connect();
    say(client, request);
    fixture.run_until([&] { return fixture.replies.size() == 2; });
    gone = Fd();
    for (const auto& reply : fixture.replies) reply({.type = "text/plain", .content = "at last"});
    CHECK(fixture.read_all(client).ends_with("at last"));
    fixture.run_until([&] { return fixture.server.connections() == 1; });
    for (const auto& reply : fixture.replies) reply({.type = "text/plain", .content = "again"});
}

TEST_CASE("who is slow is not waited for") {
    Fixture fixture;
    const auto silent = fixture.connect();
    const auto slow = fixture.connect();
    say(slow, "GET / HT");
    const auto never_answered = fixture.connect();
    say(never_answered, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    CHECK(fixture.read_all(silent).empty());
    CHECK(fixture.read_all(slow).starts_with("HTTP/1.1 408 "));
    CHECK(fixture.read_all(never_answered).empty());
    fixture.run_until([&] { return fixture.server.connections() == 0; });
    CHECK(fixture.server.due() == Clock::time_point::max());
}

TEST_CASE("the oldest goes when there are too many") {
    Fixture fixture;
    std::vector<Fd> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(fixture.connect());
    CHECK(fixture.server.connections() == 3);
    CHECK(has_ended(clients[0]));
    say(clients[3], good);
    CHECK(fixture.read_all(clients[3]).starts_with("HTTP/1.1 200 "));
}

TEST_CASE("too long requests, and who asks for others, are refused") {
    Fixture fixture;
    const auto client = fixture.connect();
    say(client, std::string(3 * web::longest_request, 'x'));
    CHECK(fixture.read_all(client).starts_with("HTTP/1.1 431 "));
    const auto rebound = fixture.connect();
    say(rebound, "GET /metrics HTTP/1.1\r\nHost: attacker.example\r\n\r\n");
    CHECK(fixture.read_all(rebound).starts_with("HTTP/1.1 421 "));
}

TEST_CASE("listeners follow what is asked for") {
    const TemporaryDirectory directory;
    const auto path = directory.path() + "/http.sock";
    Loop loop;
    std::vector<Fd> accepted;
    WebListeners listeners(loop, "", [&](Fd socket) { accepted.push_back(std::move(socket)); });
    listeners.set({{path}, {*Endpoint::parse("127.0.0.1:1")}});
    // A port below 1024 is refused to all but root: either is fine, the other listener does not mind.
    REQUIRE(listeners.states().size() == 2);
    CHECK(listeners.states()[0].failure.empty());
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);

    listeners.set({{directory.path() + "/missing/http.sock"}});
    CHECK(::stat(path.c_str(), &status) != 0);
    REQUIRE(listeners.states().size() == 1);
    CHECK(listeners.states()[0].failure.find("No such file") != std::string::npos);
    REQUIRE(listeners.due() != Clock::time_point::max());
    listeners.tend(listeners.due());
    // Both times one message: a failure is told once.
    CHECK(listeners.messages().size() <= 2);
    listeners.set({});
    CHECK(listeners.due() == Clock::time_point::max());
}

TEST_CASE("a file that is no socket stays") {
    const TemporaryDirectory directory;
    const auto path = directory.path() + "/precious";
    REQUIRE(Fd(::creat(path.c_str(), 0600)));
    Loop loop;
    WebListeners listeners(loop, "", [](Fd) {});
    listeners.set({{path}});
    CHECK(listeners.states()[0].failure.find("it is no socket") != std::string::npos);
    listeners.set({});
    CHECK(::access(path.c_str(), F_OK) == 0);
}
