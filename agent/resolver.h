// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <memory>

#include "agent/loop.h"
#include "agent/name_book.h"

struct ares_channeldata;

namespace natctl {

/// Asks /etc/hosts and the DNS, by c-ares: getaddrinfo(3) tells no times to live. How to ask (/etc/resolv.conf) is read
/// anew whenever nothing is on its way, as the servers change with the network.
class Resolver {
public:
    using OnAnswer = std::function<void(const Question&, const NameAnswer&)>;

    /// `on_answer` is called once for each question, also from within ask().
    Resolver(Loop& loop, OnAnswer on_answer);
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    void ask(const Question& question);

    /// When tend() is to be called at the latest; Clock::time_point::max(): never.
    Loop::Clock::time_point due() const;
    /// Repeats or gives up what has not been answered in time.
    void tend();

private:
    struct Asked;
    struct Close {
        void operator()(ares_channeldata* channel) const;
    };

    /// False: the system refuses.
    bool open();
    void close_if_idle();
    void watch(int fd, bool readable, bool writable);
    void process(int fd, std::uint32_t events);

    Loop& loop_;
    OnAnswer on_answer_;
    std::unique_ptr<ares_channeldata, Close> channel_;
    /// Questions without an answer yet.
    std::size_t open_ = 0;
    /// While c-ares is at work the channel has to stay.
    bool busy_ = false;
};

} // namespace natctl
