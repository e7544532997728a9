// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <unordered_map>

#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "tunnel/context.h"
#include "tunnel/datagram_context.h"
#include "tunnel/datagram_path.h"
#include "tunnel/listener.h"
#include "tunnel/status.h"

namespace natctl {

/// How long a UDP flow may rest.
struct DatagramLimits {
    std::chrono::steady_clock::duration idle = std::chrono::minutes(5);
    /// A flow that has asked nothing but DNS servers.
    std::chrono::steady_clock::duration idle_dns = std::chrono::seconds(20);
    /// When all associations are in use: then the one that rests longest makes room for a new flow.
    std::chrono::steady_clock::duration rest_in_need = std::chrono::seconds(10);
};

/// Datagrams that the kernel hands to our transparent sockets (TPROXY). One association for each client address and
/// port, and peer: the client keeps one address there, and whoever it is at the peer may answer (full cone). Of one
/// thread: the kernel chooses it by the client's address and port.
class TransparentDatagrams {
public:
    using Clock = std::chrono::steady_clock;

    TransparentDatagrams(Context& context, const DatagramLimits& limits) : context_(context), limits_(limits) {}
    ~TransparentDatagrams();
    TransparentDatagrams(const TransparentDatagrams&) = delete;
    TransparentDatagrams& operator=(const TransparentDatagrams&) = delete;

    void listen(ListenSocket socket);
    void close(const ListenerAddress& address);
    /// The settings of the context are others: flows to peers that are reached as before go on.
    void reload();
    /// Ends the flows that rested too long. To be called about once a second.
    void tick(Clock::time_point now);
    /// Ends all.
    void stop();
    std::size_t size() const { return flows_.size(); }
    /// Adds all flows there are and have been.
    void add_to(TrafficByWay& ways) const;

private:
    struct Key {
        Endpoint client;
        /// Index into the settings' peers, or `carried`.
        std::size_t route;
        bool operator==(const Key&) const = default;
    };
    /// To an own prefix that carries IPv4 addresses.
    static constexpr std::size_t carried = std::numeric_limits<std::size_t>::max();
    struct Hash {
        std::size_t operator()(const Key& key) const;
    };
    struct Flow {
        std::shared_ptr<DatagramPath> association;
        std::shared_ptr<const Settings> settings;
        Clock::time_point active;
        /// Its place in unanswered_; the end of that once it was answered.
        std::list<Key>::iterator unanswered;
        bool only_dns = true;
        WayTraffic traffic{.open = 1};
    };
    using Flows = std::unordered_map<Key, Flow, Hash>;
    struct Socket {
        ListenerAddress address;
        asio::posix::stream_descriptor descriptor;
    };

    asio::awaitable<void> serve(std::shared_ptr<Socket> socket);
    void receive_all(Socket& socket);
    void pass_on(const Datagram& datagram);
    static const std::string& way_of(const Key& key, const Flow& flow);
    Flow* flow_of(const Key& key, const Endpoint& to);
    /// Ends a flow that nobody has answered, or one that has rested. False: all are at work.
    bool make_room();
    void erase(Flows::iterator flow);
    std::shared_ptr<DatagramPath> associate(const Key& key, const Endpoint& to);
    void answer(const Key& key, const Endpoint& origin, DatagramView payload);

    Context& context_;
    DatagramLimits limits_;
    std::list<std::shared_ptr<Socket>> sockets_;
    Flows flows_;
    /// Flows that nobody has answered yet, oldest first.
    std::list<Key> unanswered_;
    /// Of flows that ended.
    TrafficByWay ended_;
    Clock::time_point now_;
    /// No flow will have rested for long enough earlier.
    Clock::time_point none_rests_before_{};
};

} // namespace natctl
