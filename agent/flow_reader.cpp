// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/flow_reader.h"

#include <exception>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "nftctl/base/error.h"

namespace natctl {

FlowReader::FlowReader(Loop& loop, Read read, FlowPace pace)
    : loop_(loop),
      read_(std::move(read)),
      done_(check(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "create", "an eventfd")),
      pace_(pace) {
    loop_.watch(done_.get(), EPOLLIN, [this](std::uint32_t) { finish(); });
}

FlowReader::~FlowReader() {
    if (running_.valid()) running_.wait();
    loop_.forget(done_.get());
}

void FlowReader::follow(std::shared_ptr<const Site> site) {
    if (site == site_) return;
    site_ = std::move(site);
    flows_.reset();
    last_.reset();
}

void FlowReader::ask(OnReading on_reading) {
    waiting_.push_back(std::move(on_reading));
    if (running_.valid()) return;
    if (site_ && pace_.allows(Loop::Clock::now()))
        begin();
    else
        answer();
}

FlowReader::Done FlowReader::read(const Read& read, const std::shared_ptr<const Site>& site,
                                  std::shared_ptr<const SiteFlows> flows) {
    FlowReading reading{.site = site, .at = Loop::Clock::now(), .wall_time = std::chrono::system_clock::now()};
    try {
        if (!flows) flows = std::make_shared<const SiteFlows>(SiteFlows{.site = site});
        reading.flows = read(flows->flows);
    } catch (const std::exception& error) {
        reading.failure = error.what();
    }
    return {.reading = std::move(reading), .flows = std::move(flows), .ended = Loop::Clock::now()};
}

void FlowReader::begin() {
    try {
        running_ = std::async(std::launch::async, [this, site = site_, flows = flows_] {
            auto done = read(read_, site, flows);
            ::eventfd_write(done_.get(), 1);
            return done;
        });
    } catch (const std::system_error&) {
        // This process may have no more threads: another time.
        answer();
    }
}

void FlowReader::finish() {
    if (!running_.valid()) return;
    auto done = running_.get();
    eventfd_t ignored = 0;
    ::eventfd_read(done_.get(), &ignored);
    pace_.done(done.reading.at, done.ended);
    if (done.reading.site == site_) {
        flows_ = std::move(done.flows);
        last_ = std::make_shared<const FlowReading>(std::move(done.reading));
    }
    answer();
}

void FlowReader::answer() {
    for (const auto& on_reading : std::exchange(waiting_, {})) on_reading(last_);
}

} // namespace natctl
