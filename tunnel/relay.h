// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "nftctl/base/address.h"
#include "nftctl/base/fd.h"
#include "tunnel/http_body.h"
#include "tunnel/pipe_pool.h"
#include "tunnel/status.h"

namespace natctl {

/// Two connected TCP sockets to be joined.
struct FlowStart {
    /// Who opened the flow, and where it goes: sockets in non-blocking mode.
    Fd client;
    Fd far;
    /// The proxy behind `far` said "connected" before it knew. If it then closes without having sent a byte, the
    /// target refused.
    bool success_is_formal = false;
    /// What has been passed on already.
    std::uint64_t bytes_to_far = 0;
    std::uint64_t bytes_to_client = 0;
    /// For messages.
    Endpoint source;
    Endpoint destination;
    std::shared_ptr<const std::string> link;
    /// What the client may still send; nullptr: anything.
    std::unique_ptr<http::BodyMeter> client_body = nullptr;
};

enum class FlowEnd : std::uint8_t {
    /// Both sides said FIN and everything was delivered.
    finished,
    reset_by_client,
    reset_by_far,
    /// The far side closed a formal success without a byte.
    refused,
    /// The client sent more than its request.
    surplus,
    /// Nothing moved for longer than the limit.
    idle,
    /// The relay itself goes.
    stopped,
};

/// In words, for messages.
std::string_view text(FlowEnd end);

/// What is known of a flow that has ended.
struct FlowReport {
    FlowEnd end;
    /// errno of a reset.
    int error;
    Endpoint source;
    Endpoint destination;
    std::shared_ptr<const std::string> link;
    std::uint64_t bytes_to_far;
    std::uint64_t bytes_to_client;
};

struct RelayLimits {
    std::chrono::steady_clock::duration idle = std::chrono::hours(2);
    /// Nothing moved, and one side has said FIN.
    std::chrono::steady_clock::duration half_closed = std::chrono::minutes(5);
};

/// Moves the bytes of all flows of one thread. FIN follows the last byte, RST goes through at once.
///
/// The sockets sit in an epoll set of their own (edge-triggered, entered once), and that set is one descriptor to asio:
/// asio's own wait for readiness costs an epoll_ctl per wait and a handler per direction, which at small messages is a
/// third of the work. A flow that rests costs two descriptors and the memory of one Flow.
///
/// Call it on the thread of the io_context only; destroy it after that has stopped running.
class Relay {
public:
    using Clock = std::chrono::steady_clock;

    Relay(asio::io_context& context, PipePool& pipes, const RelayLimits& limits,
          std::function<void(const FlowReport&)> on_end);
    ~Relay();
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

    void add(FlowStart&& start);
    std::size_t size() const { return flows_.size(); }
    /// Ends the flows that rested too long. To be called about once a second.
    void tick(Clock::time_point now);
    /// Adds the open flows, exact to the byte.
    void add_to(TrafficByWay& ways) const;
    /// Resets every flow.
    void stop();

private:
    struct Direction;
    struct Flow;
    enum class Step : std::uint8_t { rest, again, over };

    void wait_for_events();
    void run();
    void run_later();
    void collect_events();
    void enqueue(Flow& flow);
    void turn(Flow& flow);
    Step pump(Flow& flow, unsigned from);
    Step splice(Flow& flow, unsigned from, std::size_t& budget);
    Step copy(Flow& flow, unsigned from, std::size_t& budget);
    Step copy_without_pipe(Flow& flow, unsigned from, std::size_t& budget);
    void count(Flow& flow, unsigned from, std::size_t moved, std::size_t& budget);
    Step surplus(Flow& flow);
    Step read_ended(Flow& flow, unsigned from);
    Step read_failed(Flow& flow, unsigned from, int error);
    Step write_failed(Flow& flow, unsigned from, int error);
    void mark_dead(Flow& flow, unsigned side, int error);
    void erase(Flow& flow);

    asio::io_context& context_;
    asio::posix::stream_descriptor epoll_;
    PipePool& pipes_;
    RelayLimits limits_;
    std::function<void(const FlowReport&)> on_end_;
    std::list<Flow> flows_;
    /// Flows with something to do, each once.
    std::vector<Flow*> ready_;
    std::vector<Flow*> batch_;
    bool scheduled_ = false;
    Clock::time_point now_;
};

} // namespace natctl
