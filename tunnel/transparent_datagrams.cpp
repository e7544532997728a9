// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/transparent_datagrams.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <string_view>
#include <utility>

#include "tunnel/carried_exit.h"
#include "tunnel/proxy_association.h"
#include "tunnel/spawn.h"

namespace natctl {

namespace {

constexpr std::uint16_t dns_port = 53;

} // namespace

std::size_t TransparentDatagrams::Hash::operator()(const Key& key) const {
    const auto bytes = key.client.address.bytes();
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return std::hash<std::string_view>()(text) ^ (std::size_t{key.client.port} << 16) ^ key.route;
}

TransparentDatagrams::~TransparentDatagrams() { stop(); }

void TransparentDatagrams::listen(ListenSocket socket) {
    auto made = std::make_shared<Socket>(
        Socket{socket.address, asio::posix::stream_descriptor(context_.executor, socket.fd.release())});
    sockets_.push_back(made);
    spawn(context_.executor, serve(std::move(made)));
}

void TransparentDatagrams::close(const ListenerAddress& address) {
    std::erase_if(sockets_, [&](const auto& socket) {
        if (socket->address != address) return false;
        std::error_code ignored;
        socket->descriptor.close(ignored);
        return true;
    });
}

void TransparentDatagrams::stop() {
    for (const auto& socket : sockets_) {
        std::error_code ignored;
        socket->descriptor.close(ignored);
    }
    sockets_.clear();
    while (!flows_.empty()) erase(flows_.begin());
}

void TransparentDatagrams::reload() {
    const auto& peers = context_.settings->peers;
    for (auto flow = flows_.begin(); flow != flows_.end();) {
        const auto next = std::next(flow);
        const std::size_t route = flow->first.route;
        if (route == carried) {
            flow = next;
            continue;
        }
        if (route >= peers.size() || peers[route] != flow->second.settings->peers[route]) erase(flow);
        flow = next;
    }
}

void TransparentDatagrams::tick(Clock::time_point now) {
    for (auto flow = flows_.begin(); flow != flows_.end();) {
        const auto next = std::next(flow);
        if (now - flow->second.active >= (flow->second.only_dns ? limits_.idle_dns : limits_.idle)) erase(flow);
        flow = next;
    }
}

asio::awaitable<void> TransparentDatagrams::serve(std::shared_ptr<Socket> socket) {
    while (socket->descriptor.is_open()) {
        const auto [error] = co_await socket->descriptor.async_wait(asio::posix::descriptor_base::wait_read, awaiting);
        if (error || !socket->descriptor.is_open()) co_return;
        receive_all(*socket);
    }
}

void TransparentDatagrams::receive_all(Socket& socket) {
    now_ = Clock::now();
    context_.datagrams.take_waiting(socket.descriptor, [this](const Datagram& datagram) { pass_on(datagram); });
}

void TransparentDatagrams::pass_on(const Datagram& datagram) {
    const Directory& directory = *context_.settings->directory;
    if (!datagram.original) return;
    const Endpoint& to = *datagram.original;
    const auto route = directory.carrier_of(to.address) ? std::optional(carried) : directory.route_of(to.address);
    if (!route || to.port == 0 || directory.is_own_listener(to))
        return context_.datagrams.drops.dropped(Drop::stranger, datagram.from,
                                                "to " + to.text() + ", where nothing leads");
    Flow* flow = flow_of({datagram.from, *route}, to);
    if (!flow) return;
    flow->active = now_;
    flow->only_dns = flow->only_dns && to.port == dns_port;
    flow->traffic.bytes_to_far += datagram.payload.size();
    flow->association->send(socks5::Destination::of(to), datagram.payload);
}

TransparentDatagrams::Flow* TransparentDatagrams::flow_of(const Key& key, const Endpoint& to) {
    const auto found = flows_.find(key);
    if (found != flows_.end()) {
        Flow& flow = found->second;
        if (flow.association->is_over() && now_ >= flow.association->retry_at()) {
            flow.settings = context_.settings;
            flow.association = associate(key, to);
        }
        return &flow;
    }
    if (!context_.datagrams.has_room() && !make_room()) {
        context_.datagrams.drops.dropped(Drop::no_association, key.client, "all of them are in use");
        return nullptr;
    }
    Flow flow;
    flow.settings = context_.settings;
    flow.association = associate(key, to);
    flow.unanswered = unanswered_.insert(unanswered_.end(), key);
    return &flows_.emplace(key, std::move(flow)).first->second;
}

bool TransparentDatagrams::make_room() {
    // As in the kernel's own table (nf_conntrack_core.c, early_drop).
    if (!unanswered_.empty()) {
        erase(flows_.find(unanswered_.front()));
        return true;
    }
    if (now_ < none_rests_before_) return false;
    const auto longest =
        std::ranges::min_element(flows_, {}, [](const Flows::value_type& item) { return item.second.active; });
    if (longest == flows_.end()) return false;
    none_rests_before_ = longest->second.active + limits_.rest_in_need;
    if (now_ < none_rests_before_) return false;
    erase(longest);
    return true;
}

void TransparentDatagrams::erase(Flows::iterator flow) {
    // What is in the batch may be for its socket.
    context_.datagrams.out.flush();
    flow->second.association->close();
    if (flow->second.unanswered != unanswered_.end()) unanswered_.erase(flow->second.unanswered);
    WayTraffic traffic = flow->second.traffic;
    traffic.ended = std::exchange(traffic.open, 0);
    ended_[way_of(flow->first, flow->second)] += traffic;
    flows_.erase(flow);
}

const std::string& TransparentDatagrams::way_of(const Key& key, const Flow& flow) {
    static const std::string direct = "direct";
    return key.route == carried ? direct : flow.settings->peers[key.route].name;
}

void TransparentDatagrams::add_to(TrafficByWay& ways) const {
    for (const auto& [way, traffic] : ended_) ways[way] += traffic;
    for (const auto& [key, flow] : flows_) ways[way_of(key, flow)] += flow.traffic;
}

std::shared_ptr<DatagramPath> TransparentDatagrams::associate(const Key& key, const Endpoint& to) {
    auto deliver = [this, key](const Endpoint& origin, DatagramView payload) { answer(key, origin, payload); };
    std::shared_ptr<DatagramPath> path;
    if (key.route == carried)
        path = std::make_shared<CarriedExit>(context_, context_.settings,
                                             *context_.settings->directory->carrier_of(to.address), key.client,
                                             std::move(deliver));
    else
        path =
            std::make_shared<ProxyAssociation>(context_, context_.settings, key.route, key.client, std::move(deliver));
    path->start();
    return path;
}

void TransparentDatagrams::answer(const Key& key, const Endpoint& origin, DatagramView payload) {
    const auto found = flows_.find(key);
    if (found == flows_.end()) return;
    // A proxy may speak for its own peer or the Internet, not for this site nor for others.
    const bool is_welcome = key.route == carried || context_.settings->directory->route_of(origin.address) == key.route;
    if (!is_welcome || origin.address.family() != key.client.address.family())
        return context_.datagrams.drops.dropped(Drop::stranger, origin, "told by another peer's proxy");
    Flow& flow = found->second;
    flow.active = Clock::now();
    flow.traffic.bytes_to_client += payload.size();
    if (flow.unanswered != unanswered_.end()) {
        unanswered_.erase(flow.unanswered);
        flow.unanswered = unanswered_.end();
    }
    context_.datagrams.replies.send(origin, key.client, payload, context_.settings->bypass_mark);
}

} // namespace natctl
