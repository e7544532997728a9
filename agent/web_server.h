// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "agent/loop.h"
#include "agent/web_request.h"
#include "nftctl/base/fd.h"

namespace natctl {

/// Answers HTTP on connections that others accept: one request each. None of them can hold anything up: each has a time
/// for its request and one for all of it, and when there are too many the oldest goes.
class WebServer {
public:
    using Time = Loop::Clock::time_point;
    /// At once or later; what comes when the client has gone goes nowhere.
    using Reply = std::function<void(const web::Response&)>;
    using OnRequest = std::function<void(const web::Request&, const Reply&)>;

    struct Limits {
        std::size_t connections = 64;
        Loop::Clock::duration request = std::chrono::seconds(5);
        Loop::Clock::duration whole = std::chrono::seconds(30);
        /// For a client to read the answer, when it has not read it with the connection's end in sight.
        Loop::Clock::duration goodbye = std::chrono::seconds(1);
    };

    /// `on_request` gets those that nothing is to be said against. Replies must not outlive this.
    WebServer(Loop& loop, Limits limits, OnRequest on_request);
    ~WebServer();
    WebServer(const WebServer&) = delete;
    WebServer& operator=(const WebServer&) = delete;

    /// Nonblocking.
    void take(Fd socket);
    std::size_t connections() const { return connections_.size(); }

    /// When to call tend() next; Time::max(): never.
    Time due() const;
    /// Ends those whose time is over.
    void tend(Time now);

private:
    enum class State : std::uint8_t {
        reading,
        /// For the reply.
        waiting,
        writing,
        /// Everything is sent: what the client still says is read and thrown away, as closing would otherwise take the
        /// answer from it (RFC 9112, section 9.6).
        leaving,
    };
    struct Connection {
        Fd socket;
        Time end;
        Time deadline;
        State state = State::reading;
        bool head_only = false;
        std::string in = {};
        std::string out = {};
    };

    void serve(std::uint64_t number, std::uint32_t events);
    void read(std::uint64_t number, Connection& connection);
    void answer(std::uint64_t number, Connection& connection, std::string bytes);
    void write(std::uint64_t number, Connection& connection);
    void leave(std::uint64_t number, Connection& connection);
    void watch(std::uint64_t number, Connection& connection, std::uint32_t events);
    void drop(std::uint64_t number);

    Loop& loop_;
    Limits limits_;
    OnRequest on_request_;
    /// By a number that counts up: the first is the oldest.
    std::map<std::uint64_t, Connection> connections_;
    std::uint64_t next_ = 0;
};

} // namespace natctl
