// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>

#include "tunnel/context.h"
#include "tunnel/echo_translator.h"
#include "tunnel/listener.h"
#include "tunnel/proxy_prober.h"
#include "tunnel/socket.h"
#include "tunnel/transparent_datagrams.h"

namespace natctl {

/// Of one thread.
struct WorkerLimits {
    /// Flows, open and being opened: beyond, new ones wait in the kernel's queue until one ends.
    std::size_t max_flows = 10000;
    std::size_t max_pipes = 1000;
    /// Connections to proxies that wait, greeted, for flows; and with 0 nothing is sent to proxies ahead.
    std::size_t max_warm = 0;
    /// Clients that have not yet made a request.
    std::size_t max_strangers = 1024;
    std::size_t pipe_size = std::size_t{256} << 10;
    /// Of the pipes. Readers that keep up need no more, and slow ones do not gain.
    std::size_t max_large_pipes = 4;
    /// Of UDP, with proxies and with clients of our own.
    std::size_t max_associations = 2000;
    /// Of datagrams that wait until an association is there.
    std::size_t max_waiting_bytes = std::size_t{16} << 20;
    /// Addresses that answers were sent from lately.
    std::size_t max_reply_sockets = 256;
    RelayLimits relay;
    DatagramLimits datagrams;
};

/// One thread's share of the tunnel: its listeners, its loop, its flows. Nothing is shared with other workers but the
/// settings (constant) and the log.
class Worker {
public:
    Worker(std::shared_ptr<const Settings> settings, std::vector<ListenSocket> listeners, const WorkerLimits& limits,
           FlowLog& log);
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Before run(): answers pings too, which one worker does for all.
    void translate_echo();
    /// Before run(): asks silent proxies whether they answer, which one worker does for all.
    void probe_proxies();
    /// Calls `take` with what this worker knows (traffic and drops), on its thread; never once it has finished.
    void tell(std::function<void(const Status& status)> take);
    /// Works until stop(), or until the last flow has ended after drain().
    void run();

    // From any thread:

    /// New flows go by these settings. `added` are new listeners; those at `removed` are closed.
    void reload(std::shared_ptr<const Settings> settings, std::vector<ListenSocket> added,
                std::vector<ListenerAddress> removed);
    /// No new flows.
    void drain();
    /// Resets what is left.
    void stop();

private:
    struct Acceptor;
    class Opening;

    void listen(ListenSocket socket);
    asio::awaitable<void> accept(std::shared_ptr<Acceptor> acceptor);
    asio::awaitable<void> serve(ListenerAddress address, tcp::socket client);
    asio::awaitable<void> tick();
    void flow_ended(const FlowReport& report);
    void one_left();
    std::size_t flows() const { return opening_ + relay_.size(); }

    WorkerLimits limits_;
    FlowLog& log_;
    PipePool pipes_;
    DatagramContext datagram_context_;
    Deadlines strangers_;
    Deadlines attempts_;
    WarmConnections warm_;
    std::size_t opening_ = 0;
    bool draining_ = false;
    bool running_ = true;
    // Destroys the sessions, which use what stands above.
    asio::io_context io_;
    Relay relay_;
    Context context_;
    TransparentDatagrams datagrams_;
    std::optional<EchoTranslator> echo_;
    std::optional<ProxyProber> prober_;
    /// Of TCP flows that ended.
    TrafficByWay ended_;
    std::list<std::shared_ptr<Acceptor>> acceptors_;
    /// Never expires; cancelled when a flow ends.
    asio::steady_timer room_;
};

} // namespace natctl
