// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/loop.h"
#include "nftctl/base/fd.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Listens where [agent] says, and follows it when it says something else. What cannot be had is tried again.
class WebListeners {
public:
    using Time = Loop::Clock::time_point;
    using OnConnection = std::function<void(Fd)>;

    /// `group`: who may use Unix sockets beside root; empty: nobody.
    WebListeners(Loop& loop, std::string group, OnConnection on_connection);
    ~WebListeners();
    WebListeners(const WebListeners&) = delete;
    WebListeners& operator=(const WebListeners&) = delete;

    void set(const std::vector<HttpListener>& wanted);

    struct State {
        /// As in site.toml.
        std::string listen;
        /// Why nobody can come there; empty: it is open.
        std::string failure;
    };
    std::vector<State> states() const;

    /// Since the last call: failures, each once, and their ends.
    struct Message {
        bool warning = false;
        std::string text;
    };
    std::vector<Message> messages();

    /// When to call tend() next; Time::max(): never.
    Time due() const { return retry_; }
    void tend(Time now);

private:
    struct Listener {
        HttpListener where;
        Fd socket = {};
        std::string failure = {};
    };

    void open(Listener& listener);
    void close(Listener& listener);

    Loop& loop_;
    std::string group_;
    OnConnection on_connection_;
    /// By what stands in site.toml.
    std::map<std::string, Listener> listeners_;
    std::vector<Message> messages_;
    Time retry_ = Time::max();
};

} // namespace natctl
