// SPDX-License-Identifier: GPL-3.0-or-later
#include "load/load.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <sys/socket.h>

#include "load/poller.h"

namespace natctl::bench {

namespace {

/// One after the other, each in the place of the former.
class Runner {
public:
    Runner(const Endpoint& server, unsigned ports, std::size_t at_once)
        : server_(server),
          ports_(ports),
          places_(at_once) {}

    void run(double seconds) {
        const auto begin = Clock::now();
        for (std::size_t place = 0; place < places_.size(); ++place) start(place);
        while (seconds_since(begin) < seconds)
            for (const epoll_event& event : poller_.wait(std::chrono::milliseconds(10))) step(event);
        took_ = seconds_since(begin);
    }

    void print() {
        std::ranges::sort(microseconds_);
        const auto at = [&](double share) {
            const auto index = static_cast<std::size_t>(share * static_cast<double>(microseconds_.size()));
            return microseconds_.empty() ? 0 : microseconds_[std::min(index, microseconds_.size() - 1)];
        };
        fmt::print(R"({{"flows": {}, "failed": {}, "seconds": {:.4f}, "median_us": {:.0f}, "p99_us": {:.0f}}})"
                   "\n",
                   microseconds_.size(), failed_, took_, at(0.5), at(0.99));
    }

private:
    struct Place {
        Fd fd;
        Clock::time_point begin;
        bool connected = false;
    };

    void start(std::size_t number) {
        Place& place = places_[number];
        place.begin = Clock::now();
        place.connected = false;
        const auto port = static_cast<std::uint16_t>(server_.port + next_port_++ % ports_);
        place.fd = start_connecting({server_.address, port});
        poller_.add(place.fd.get(), EPOLLOUT, number);
    }

    void step(const epoll_event& event) {
        const std::size_t number = event.data.u64;
        Place& place = places_[number];
        char byte = 'x';
        if (!place.connected) {
            place.connected = connect_error(place.fd.get()) == 0 && ::send(place.fd.get(), &byte, 1, MSG_NOSIGNAL) == 1;
            if (!place.connected) return end(number, false);
            return poller_.change(place.fd.get(), EPOLLIN, number);
        }
        const ssize_t got = ::recv(place.fd.get(), &byte, 1, 0);
        if (got < 0 && errno == EAGAIN) return;
        end(number, got == 1);
    }

    void end(std::size_t number, bool good) {
        if (good)
            microseconds_.push_back(seconds_since(places_[number].begin) * 1e6);
        else
            ++failed_;
        start(number);
    }

    Endpoint server_;
    unsigned ports_;
    std::vector<Place> places_;
    Poller poller_;
    unsigned next_port_ = 0;
    std::vector<double> microseconds_;
    std::size_t failed_ = 0;
    double took_ = 0;
};

} // namespace

void flows(const Endpoint& server, unsigned ports, std::size_t at_once, double seconds) {
    take_all_descriptors();
    Runner runner(server, ports, at_once);
    runner.run(seconds);
    runner.print();
}

} // namespace natctl::bench
