// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/served_association.h"

#include <utility>

#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "nftctl/socket/socket_address.h"
#include "tunnel/carried_exit.h"
#include "tunnel/datagram_socket.h"
#include "tunnel/message.h"
#include "tunnel/proxy_association.h"
#include "tunnel/spawn.h"

namespace natctl {

namespace {

Endpoint local_endpoint_of(int fd) {
    sockaddr_in6 address{};
    socklen_t size = sizeof address;
    check(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), "read", "the address of a UDP socket");
    return endpoint_of(reinterpret_cast<const sockaddr*>(&address));
}

} // namespace

ServedAssociation::ServedAssociation(Context& context, std::shared_ptr<const Settings> settings,
                                     const Listener& listener, const Endpoint& client)
    : context_(context),
      settings_(std::move(settings)),
      access_(listener.access),
      client_(client),
      slot_(context.datagrams),
      relay_(context.executor),
      exits_{asio::posix::stream_descriptor(context.executor), asio::posix::stream_descriptor(context.executor)},
      idle_timer_(context.executor) {}

Endpoint ServedAssociation::open(const Address& local) {
    Fd fd = open_datagram_socket(local.family(), settings_->bypass_mark);
    const SocketAddress address(Endpoint{local, 0});
    check(::bind(fd.get(), address.data(), address.size()), "bind", "a UDP socket to " + local.text());
    relay_.assign(fd.release());
    return local_endpoint_of(relay_.native_handle());
}

void ServedAssociation::start(tcp::socket& control) {
    spawn(context_.executor, read_client());
    spawn(context_.executor, watch_idle(control));
}

void ServedAssociation::close() {
    open_ = false;
    std::error_code ignored;
    for (auto* descriptor : {&relay_, &exits_[0], &exits_[1]})
        if (descriptor->is_open()) descriptor->close(ignored);
    idle_timer_.cancel();
    for (const auto& entry : peers_) entry.second->close();
    peers_.clear();
    if (carried_) carried_->close();
    for (const auto& [way, traffic] : traffic_) {
        --traffic->open;
        ++traffic->ended;
    }
    traffic_.clear();
}

WayTraffic& ServedAssociation::traffic(Way way) {
    auto& known = traffic_[way];
    if (!known) {
        known = &context_.datagrams.served[way ? settings_->peers[*way].name : "direct"];
        ++known->open;
    }
    return *known;
}

asio::awaitable<void> ServedAssociation::watch_idle(tcp::socket& control) {
    const auto self = shared_from_this();
    const auto limit = settings_->timeouts.association;
    while (open_) {
        const auto end = active_ + limit;
        if (Clock::now() >= end) {
            std::error_code ignored;
            control.close(ignored);
            co_return;
        }
        idle_timer_.expires_at(end);
        co_await idle_timer_.async_wait(awaiting);
    }
}

asio::awaitable<void> ServedAssociation::read_client() {
    const auto self = shared_from_this();
    while (true) {
        const auto [error] = co_await relay_.async_wait(asio::posix::descriptor_base::wait_read, awaiting);
        if (error || !open_) co_return;
        context_.datagrams.take_waiting(relay_, [this](const Datagram& datagram) { from_client(datagram); });
    }
}

asio::awaitable<void> ServedAssociation::read_exit(Family family) {
    const auto self = shared_from_this();
    while (true) {
        const auto [error] = co_await exit(family).async_wait(asio::posix::descriptor_base::wait_read, awaiting);
        if (error || !open_) co_return;
        context_.datagrams.take_waiting(exit(family), [this](const Datagram& datagram) {
            if (const auto name = access_.name_of_source(datagram.from.address))
                to_client({*name, datagram.from.port}, datagram.payload, directly);
            else
                context_.datagrams.drops.dropped(Drop::stranger, datagram.from);
        });
    }
}

bool ServedAssociation::is_client(const Endpoint& from) {
    return has_client_ ? from == client_ : from.address == client_.address;
}

void ServedAssociation::from_client(const Datagram& datagram) {
    DropLog& drops = context_.datagrams.drops;
    if (!is_client(datagram.from)) return drops.dropped(Drop::stranger, datagram.from);
    const auto header = socks5::parse_datagram(datagram.payload);
    if (!header) return drops.dropped(Drop::malformed, datagram.from);
    if (header->fragment != 0) return drops.dropped(Drop::fragment, datagram.from);
    if (!has_client_) {
        const SocketAddress address(datagram.from);
        if (::connect(relay_.native_handle(), address.data(), address.size()) != 0)
            return drops.dropped(Drop::failed, datagram.from);
        client_ = datagram.from;
        has_client_ = true;
    }
    active_ = Clock::now();
    const DatagramView payload = datagram.payload.subspan(header->size);
    if (const Address* address = header->destination.address())
        if (const Carrier* carrier = settings_->directory->carrier_of(*address))
            return send_carried(*carrier, header->destination, payload);
    const Decision& decision = decide(header->destination);
    const socks5::Destination& to = decision.destination;
    switch (decision.kind) {
    case Decision::Kind::direct: return send_direct({*to.address(), to.port}, payload);
    case Decision::Kind::peer:
        if (!settings_->peers[decision.peer].proxies.empty()) return send_by_peer(decision.peer, to, payload);
        // By an interface the kernel's routes know the way.
        if (to.address()) return send_direct({*to.address(), to.port}, payload);
        break;
    // Names that have to be looked up are for connections.
    case Decision::Kind::resolve:
    case Decision::Kind::refuse: break;
    }
    drops.dropped(Drop::not_allowed, datagram.from, header->destination.text());
}

const Decision& ServedAssociation::decide(const socks5::Destination& destination) {
    if (decided_for_ != destination) {
        decision_ = access_.decide(destination);
        decided_for_ = destination;
    }
    return decision_;
}

void ServedAssociation::send_direct(const Endpoint& to, DatagramView payload) {
    const Family family = to.address.family();
    if (!exit(family).is_open()) {
        try {
            Fd fd = open_datagram_socket(family, settings_->bypass_mark);
            // A port before the first datagram: whoever is to answer may be told of it.
            const SocketAddress any(Endpoint{*Address::parse(family == Family::ipv6 ? "::" : "0.0.0.0"), 0});
            check(::bind(fd.get(), any.data(), any.size()), "bind", "a UDP socket");
            exit(family).assign(fd.release());
        } catch (const SystemError& error) {
            return context_.datagrams.drops.dropped(Drop::failed, client_, error.what());
        }
        spawn(context_.executor, read_exit(family));
    }
    traffic(directly).bytes_to_far += payload.size();
    context_.datagrams.out.add(exit(family).native_handle(), to, {}, payload, client_, *this);
}

void ServedAssociation::send_by_peer(std::size_t route, const socks5::Destination& to, DatagramView payload) {
    auto& association = peers_[route];
    if (!association || (association->is_over() && Clock::now() >= association->retry_at())) {
        if (!context_.datagrams.has_room())
            return context_.datagrams.drops.dropped(Drop::no_association, client_, "all of them are in use");
        association = std::make_shared<ProxyAssociation>(
            context_, settings_, route, client_, [this, route](const Endpoint& origin, DatagramView answer) {
                if (settings_->directory->peer_of(origin.address) == route)
                    to_client(origin, answer, route);
                else
                    context_.datagrams.drops.dropped(Drop::stranger, origin, "told by another peer's proxy");
            });
        association->start();
    }
    traffic(route).bytes_to_far += payload.size();
    association->send(to, payload);
}

void ServedAssociation::send_carried(const Carrier& carrier, const socks5::Destination& to, DatagramView payload) {
    if (!carried_) {
        if (!context_.datagrams.has_room())
            return context_.datagrams.drops.dropped(Drop::no_association, client_, "all of them are in use");
        carried_ = std::make_shared<CarriedExit>(
            context_, settings_, carrier, client_,
            [this](const Endpoint& origin, DatagramView answer) { to_client(origin, answer, directly); });
        carried_->start();
    }
    traffic(directly).bytes_to_far += payload.size();
    carried_->send(to, payload);
}

void ServedAssociation::to_client(const Endpoint& origin, DatagramView payload, Way way) {
    if (!has_client_ || !open_) return;
    active_ = Clock::now();
    traffic(way).bytes_to_client += payload.size();
    context_.datagrams.out.add(relay_.native_handle(), std::nullopt,
                               socks5::DatagramPrefix(socks5::Destination::of(origin)).bytes(), payload, origin, *this);
}

void ServedAssociation::not_sent(std::error_code error, const Endpoint& from, std::size_t size) {
    context_.datagrams.drops.dropped(drop_for(error), from, std::to_string(size) + " bytes, " + error.message());
}

asio::awaitable<void> serve_association(Context& context, std::shared_ptr<const Settings> settings,
                                        const Listener& listener, tcp::socket& client, Endpoint source) {
    std::error_code error;
    const Endpoint local = from_asio(client.local_endpoint(error));
    if (error) co_return;
    std::string cause = "all UDP associations are in use";
    if (context.datagrams.has_room()) {
        const auto association = std::make_shared<ServedAssociation>(context, settings, listener, source);
        try {
            const Endpoint bound = association->open(local.address);
            cause.clear();
            error = co_await send(client, socks5::reply(socks5::Reply::succeeded, bound));
        } catch (const SystemError& refusal) {
            cause = refusal.what();
        }
        if (cause.empty()) {
            if (!error) association->start(client);
            std::array<std::uint8_t, 256> scrap;
            while (!error) {
                const auto [over, count] = co_await client.async_read_some(asio::buffer(scrap), awaiting);
                static_cast<void>(count);
                error = over;
            }
            association->close();
            co_return;
        }
    }
    context.log.failed(source, "UDP", "socks5 listener " + listener.listen.text(), cause, "");
    co_await send(client, socks5::reply(socks5::Reply::general_failure));
}

} // namespace natctl
