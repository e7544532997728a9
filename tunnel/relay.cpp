// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/relay.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <asio/post.hpp>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "tunnel/socket.h"

namespace natctl {

namespace {

constexpr unsigned client_side = 0;
constexpr unsigned far_side = 1;

/// Bytes a direction may move before the other flows have their turn.
constexpr std::size_t turn_budget = std::size_t{1} << 20;
/// Turns of all ready flows before asio's own handlers (new flows, timers) have theirs.
constexpr int rounds_per_run = 8;
/// What comes in smaller portions is copied: cheaper than a way through a pipe.
constexpr std::size_t copy_size = std::size_t{16} << 10;

constexpr std::uint32_t error_events = EPOLLERR | EPOLLHUP;

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

int pending_error(int fd) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

} // namespace

std::string_view text(FlowEnd end) {
    switch (end) {
    case FlowEnd::finished: return "finished";
    case FlowEnd::reset_by_client: return "reset by the client";
    case FlowEnd::reset_by_far: return "reset by the far side";
    case FlowEnd::refused: return "refused";
    case FlowEnd::surplus: return "the client sent more than its request";
    case FlowEnd::idle: return "idle for too long";
    case FlowEnd::stopped: return "the tunnel stops";
    }
    return "";
}

/// From one side to the other.
struct Relay::Direction {
    /// Only while it holds bytes.
    std::unique_ptr<Pipe> pipe;
    std::uint64_t bytes = 0;
    /// What the last event or EAGAIN said. Optimistic at first.
    bool readable = true;
    bool writable = true;
    /// FIN, an error or urgent data may follow what is read: only EAGAIN proves that nothing is left.
    bool mind_the_rest = false;
    /// Portions are large: spliced, not copied.
    bool bulk = false;
    /// FIN was read.
    bool ended = false;
    /// FIN was passed on.
    bool shut = false;
};

struct Relay::Flow {
    std::array<Fd, 2> sides;
    /// By the side they read from.
    std::array<Direction, 2> directions;
    std::list<Flow>::iterator self;
    Clock::time_point active;
    Endpoint source;
    Endpoint destination;
    std::shared_ptr<const std::string> link;
    /// What the client may still send; nullptr: anything.
    std::unique_ptr<http::BodyMeter> client_body;
    /// Not 0: `end` says which side is dead. What it sent before is still delivered.
    int error = 0;
    FlowEnd end = FlowEnd::finished;
    bool success_is_formal = false;
    bool queued = false;
    bool far_first = false;

    bool is_dead(unsigned side) const {
        return end == (side == far_side ? FlowEnd::reset_by_far : FlowEnd::reset_by_client);
    }
    bool has_dead_side() const { return error != 0; }
    http::BodyMeter* body_from(unsigned side) const { return side == client_side ? client_body.get() : nullptr; }
    bool is_delivered(unsigned from) const {
        const Direction& direction = directions[from];
        return !direction.pipe && (direction.ended || !direction.readable);
    }
};

Relay::Relay(asio::io_context& context, PipePool& pipes, const RelayLimits& limits,
             std::function<void(const FlowReport&)> on_end)
    : context_(context),
      epoll_(context, check(::epoll_create1(EPOLL_CLOEXEC), "create", "an epoll set")),
      pipes_(pipes),
      limits_(limits),
      on_end_(std::move(on_end)),
      now_(Clock::now()) {
    wait_for_events();
}

Relay::~Relay() = default;

void Relay::add(FlowStart&& start) {
    Flow& flow = flows_.emplace_back();
    flow.self = std::prev(flows_.end());
    flow.sides = {std::move(start.client), std::move(start.far)};
    flow.success_is_formal = start.success_is_formal;
    flow.directions[client_side].bytes = start.bytes_to_far;
    flow.directions[far_side].bytes = start.bytes_to_client;
    flow.source = start.source;
    flow.destination = start.destination;
    flow.link = std::move(start.link);
    flow.client_body = std::move(start.client_body);
    flow.active = now_ = Clock::now();
    for (const unsigned side : {client_side, far_side}) {
        epoll_event event{EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET, {}};
        // The lowest bit of the pointer is free: it says which side.
        event.data.u64 = reinterpret_cast<std::uintptr_t>(&flow) | side;
        if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, flow.sides[side].get(), &event) == 0) continue;
        mark_dead(flow, side, errno);
        return erase(flow);
    }
    turn(flow);
    if (!ready_.empty()) run_later();
}

void Relay::tick(Clock::time_point now) {
    for (auto next = flows_.begin(); next != flows_.end();) {
        Flow& flow = *next++;
        const bool half_closed =
            flow.directions[client_side].ended || flow.directions[far_side].ended || flow.has_dead_side();
        const auto limit = half_closed ? limits_.half_closed : limits_.idle;
        if (flow.queued || now - flow.active < limit) continue;
        flow.end = FlowEnd::idle;
        erase(flow);
    }
}

void Relay::add_to(TrafficByWay& ways) const {
    for (const Flow& flow : flows_)
        ways[*flow.link] += {.open = 1,
                             .bytes_to_far = flow.directions[client_side].bytes,
                             .bytes_to_client = flow.directions[far_side].bytes};
}

void Relay::stop() {
    ready_.clear();
    while (!flows_.empty()) {
        flows_.front().end = FlowEnd::stopped;
        erase(flows_.front());
    }
}

void Relay::wait_for_events() {
    epoll_.async_wait(asio::posix::descriptor_base::wait_read, [this](const std::error_code& error) {
        if (!error) run();
    });
}

void Relay::run_later() {
    if (std::exchange(scheduled_, true)) return;
    asio::post(context_, [this] {
        scheduled_ = false;
        now_ = Clock::now();
        std::swap(ready_, batch_);
        for (Flow* flow : batch_) turn(*flow);
        batch_.clear();
        if (!ready_.empty()) run_later();
    });
}

void Relay::run() {
    now_ = Clock::now();
    for (int round = 0; round < rounds_per_run; ++round) {
        collect_events();
        if (ready_.empty()) break;
        std::swap(ready_, batch_);
        for (Flow* flow : batch_) turn(*flow);
        batch_.clear();
    }
    if (!ready_.empty()) run_later();
    wait_for_events();
}

void Relay::collect_events() {
    std::array<epoll_event, 128> events;
    const int count = ::epoll_wait(epoll_.native_handle(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const auto side = static_cast<unsigned>(event.data.u64 & 1);
        Flow& flow = *reinterpret_cast<Flow*>(static_cast<std::uintptr_t>(event.data.u64 & ~std::uint64_t{1}));
        if (event.events & (EPOLLIN | EPOLLRDHUP | error_events)) flow.directions[side].readable = true;
        if (event.events & (EPOLLRDHUP | EPOLLPRI | error_events)) flow.directions[side].mind_the_rest = true;
        if (event.events & (EPOLLOUT | error_events)) flow.directions[1 - side].writable = true;
        // What an erring side sent before its error is read before anything is written to it.
        if (event.events & EPOLLERR) {
            flow.far_first = side == far_side;
            // Nobody reads after its FIN, so nobody else would see the error.
            if (flow.directions[side].ended)
                if (const int error = pending_error(flow.sides[side].get())) mark_dead(flow, side, error);
        }
        enqueue(flow);
    }
}

void Relay::enqueue(Flow& flow) {
    if (!std::exchange(flow.queued, true)) ready_.push_back(&flow);
}

void Relay::turn(Flow& flow) {
    flow.queued = false;
    const unsigned first = flow.far_first ? far_side : client_side;
    bool again = false;
    for (const unsigned from : {first, 1 - first}) {
        const Step step = flow.is_dead(1 - from) ? Step::rest : pump(flow, from);
        if (step == Step::over) return erase(flow);
        again |= step == Step::again;
    }
    if (flow.has_dead_side() && flow.is_delivered(flow.is_dead(far_side) ? far_side : client_side)) return erase(flow);
    if (flow.directions[0].shut && flow.directions[1].shut) return erase(flow);
    if (again) enqueue(flow);
}

Relay::Step Relay::pump(Flow& flow, unsigned from) {
    Direction& direction = flow.directions[from];
    std::size_t budget = turn_budget;
    while (!direction.shut) {
        const bool holds = direction.pipe != nullptr;
        if (holds ? !direction.writable : !direction.readable && !direction.ended) return Step::rest;
        if (budget == 0) return Step::again;
        if (!holds && direction.ended) {
            if (flow.has_dead_side()) return Step::over;
            direction.shut = true;
            if (::shutdown(flow.sides[1 - from].get(), SHUT_WR) != 0) return write_failed(flow, from, errno);
            return Step::rest;
        }
        if (!holds) direction.pipe = pipes_.take();
        const Step step = !direction.pipe           ? copy_without_pipe(flow, from, budget)
                          : holds || direction.bulk ? splice(flow, from, budget)
                                                    : copy(flow, from, budget);
        if (direction.pipe && direction.pipe->held == 0) pipes_.give_back(std::move(direction.pipe));
        if (step != Step::again || flow.is_dead(1 - from)) return step;
    }
    return Step::rest;
}

/// Fills the pipe only when it is empty: then EAGAIN can mean nothing but an empty socket.
Relay::Step Relay::splice(Flow& flow, unsigned from, std::size_t& budget) {
    Direction& direction = flow.directions[from];
    Pipe& pipe = *direction.pipe;
    // SPLICE_F_MORE would hold back the last bytes for up to 200 ms, as TCP_CORK does.
    constexpr unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    while (budget > 0) {
        if (pipe.held == 0) {
            if (!direction.readable || !direction.bulk) return Step::again;
            const ssize_t got =
                ::splice(flow.sides[from].get(), nullptr, pipe.write_end.get(), nullptr, pipe.size, flags);
            if (got == 0) return read_ended(flow, from);
            if (got < 0) return read_failed(flow, from, errno);
            pipe.held = static_cast<std::size_t>(got);
            direction.bulk = pipe.held >= copy_size;
        }
        const ssize_t put =
            ::splice(pipe.read_end.get(), nullptr, flow.sides[1 - from].get(), nullptr, pipe.held, flags);
        if (put < 0) return write_failed(flow, from, errno);
        pipe.held -= static_cast<std::size_t>(put);
        count(flow, from, static_cast<std::size_t>(put), budget);
    }
    return Step::again;
}

/// What the sink does not take at once waits in the pipe, which has room for it.
Relay::Step Relay::copy(Flow& flow, unsigned from, std::size_t& budget) {
    Direction& direction = flow.directions[from];
    std::array<std::uint8_t, copy_size> buffer;
    const ssize_t got = ::recv(flow.sides[from].get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got == 0) return read_ended(flow, from);
    if (got < 0) return read_failed(flow, from, errno);
    const auto size = static_cast<std::size_t>(got);
    const bool filled = size == buffer.size();
    if (!filled && !direction.mind_the_rest) direction.readable = false;
    http::BodyMeter* const body = flow.body_from(from);
    // What is spliced nobody can count.
    direction.bulk = filled && body == nullptr;
    if (body != nullptr && body->take({buffer.data(), size}) < size) return surplus(flow);
    const ssize_t put = ::send(flow.sides[1 - from].get(), buffer.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0 && !would_block(errno)) return write_failed(flow, from, errno);
    const std::size_t sent = put < 0 ? 0 : static_cast<std::size_t>(put);
    count(flow, from, sent, budget);
    if (sent == size) return Step::again;
    Pipe& pipe = *direction.pipe;
    if (::write(pipe.write_end.get(), buffer.data() + sent, size - sent) != static_cast<ssize_t>(size - sent))
        return read_failed(flow, from, ENOBUFS);
    pipe.held = size - sent;
    return Step::again;
}

/// When no pipe is to be had: looks at what came, sends what goes, takes away what went. Holds nothing in between.
Relay::Step Relay::copy_without_pipe(Flow& flow, unsigned from, std::size_t& budget) {
    Direction& direction = flow.directions[from];
    if (!direction.writable) return Step::rest;
    std::array<std::uint8_t, copy_size> buffer;
    const int source = flow.sides[from].get();
    const ssize_t seen = ::recv(source, buffer.data(), buffer.size(), MSG_PEEK | MSG_DONTWAIT);
    if (seen == 0) return read_ended(flow, from);
    if (seen < 0) return read_failed(flow, from, errno);
    const auto size = static_cast<std::size_t>(seen);
    http::BodyMeter* const body = flow.body_from(from);
    if (body != nullptr && http::BodyMeter(*body).take({buffer.data(), size}) < size) return surplus(flow);
    const ssize_t put = ::send(flow.sides[1 - from].get(), buffer.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put < 0) return write_failed(flow, from, errno);
    const auto sent = static_cast<std::size_t>(put);
    if (body != nullptr) body->take({buffer.data(), sent});
    if (::recv(source, buffer.data(), sent, MSG_DONTWAIT) != put) return read_failed(flow, from, ECONNRESET);
    count(flow, from, sent, budget);
    return Step::again;
}

void Relay::count(Flow& flow, unsigned from, std::size_t moved, std::size_t& budget) {
    flow.directions[from].bytes += moved;
    flow.active = now_;
    budget -= std::min(budget, moved);
}

Relay::Step Relay::surplus(Flow& flow) {
    flow.end = FlowEnd::surplus;
    return Step::over;
}

Relay::Step Relay::read_ended(Flow& flow, unsigned from) {
    flow.directions[from].ended = true;
    flow.active = now_;
    const bool nothing_came = flow.directions[far_side].bytes == 0;
    if (from == far_side && flow.success_is_formal && nothing_came && !flow.directions[client_side].ended) {
        flow.end = FlowEnd::refused;
        return Step::over;
    }
    return Step::again;
}

Relay::Step Relay::read_failed(Flow& flow, unsigned from, int error) {
    if (error == EINTR) return Step::again;
    flow.directions[from].readable = false;
    if (would_block(error)) return Step::rest;
    mark_dead(flow, from, error);
    return Step::over;
}

Relay::Step Relay::write_failed(Flow& flow, unsigned from, int error) {
    if (error == EINTR) return Step::again;
    Direction& direction = flow.directions[from];
    direction.writable = false;
    if (would_block(error)) return Step::rest;
    // The other side is dead too, or nothing is left that the dead one may have sent.
    if (flow.has_dead_side() || flow.directions[1 - from].shut) {
        mark_dead(flow, 1 - from, error);
        return Step::over;
    }
    mark_dead(flow, 1 - from, error);
    if (direction.pipe) pipes_.give_back(std::move(direction.pipe));
    flow.directions[1 - from].readable = true;
    return Step::again;
}

void Relay::mark_dead(Flow& flow, unsigned side, int error) {
    flow.error = error;
    flow.end = side == far_side ? FlowEnd::reset_by_far : FlowEnd::reset_by_client;
}

void Relay::erase(Flow& flow) {
    for (Direction& direction : flow.directions)
        if (direction.pipe) pipes_.give_back(std::move(direction.pipe));
    if (flow.end != FlowEnd::finished)
        for (const Fd& side : flow.sides) reset_on_close(side.get());
    const FlowReport report{flow.end,
                            flow.error,
                            flow.source,
                            flow.destination,
                            std::move(flow.link),
                            flow.directions[client_side].bytes,
                            flow.directions[far_side].bytes};
    flows_.erase(flow.self);
    on_end_(report);
}

} // namespace natctl
