// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/live_flow.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "nftctl/plan/ranges.h"

namespace natctl {

namespace {

constexpr std::uint8_t icmp = 1;
constexpr std::uint8_t icmpv6 = 58;

// IPPROTO_*
constexpr std::array<std::pair<std::uint8_t, const char*>, 10> protocols{{{icmp, "icmp"},
                                                                          {6, "tcp"},
                                                                          {17, "udp"},
                                                                          {33, "dccp"},
                                                                          {47, "gre"},
                                                                          {50, "esp"},
                                                                          {51, "ah"},
                                                                          {icmpv6, "icmpv6"},
                                                                          {132, "sctp"},
                                                                          {136, "udplite"}}};

bool carries(const Connection& connection, Mark mark) { return (connection.mark & mark.mask) == mark.value; }

} // namespace

const char* name_of(Began began) {
    switch (began) {
    case Began::here: return "here";
    case Began::there: return "there";
    case Began::transit: return "transit";
    case Began::inside: return "inside";
    }
    return "";
}

const char* name_of(FlowPath path) {
    switch (path) {
    case FlowPath::link: return "link";
    case FlowPath::tunnel: return "tunnel";
    case FlowPath::inside: return "inside";
    }
    return "";
}

std::uint16_t LiveFlow::port() const {
    const bool called = began == Began::there || began == Began::inside;
    return called ? connection.original.destination_port : connection.original.source_port;
}

std::uint16_t LiveFlow::far_port() const {
    const bool calling = began == Began::there || began == Began::inside;
    return calling ? connection.original.source_port : connection.original.destination_port;
}

std::optional<std::chrono::seconds> LiveFlow::age(std::chrono::system_clock::time_point now) const {
    using std::chrono::seconds;
    if (!connection.began) return std::nullopt;
    const auto since = std::chrono::nanoseconds(*connection.began);
    return std::max(seconds(0), std::chrono::duration_cast<seconds>(now.time_since_epoch() - since));
}

std::string LiveFlow::tcp_state() const { return connection.tcp_state ? tcp_state_name(*connection.tcp_state) : ""; }

std::optional<Traffic> LiveFlow::sent() const {
    const bool called = began == Began::there || began == Began::inside;
    return called ? connection.received : connection.sent;
}

std::optional<Traffic> LiveFlow::received() const {
    const bool called = began == Began::there || began == Began::inside;
    return called ? connection.sent : connection.received;
}

bool FlowSelection::matches(const LiveFlow& flow) const {
    if (!peer.empty() && peer != flow.peer) return false;
    if (protocol && *protocol != flow.connection.protocol) return false;
    if (port && *port != flow.port() && *port != flow.far_port()) return false;
    if (host.empty() || host == flow.name) return true;
    const auto address = Address::parse(host);
    return address && (*address == flow.real || address == flow.virtual_address || *address == flow.far);
}

LiveFlows::LiveFlows(const Site& site) : site_(site) {
    std::vector<AddressRange> own;
    for (const auto& map : site.maps) {
        own.push_back(map.virtual_prefix.range());
        if (map.name.empty()) continue;
        names_.emplace_back(map.virtual_prefix.network(), &map.name);
        names_.emplace_back(map.real_prefix.network(), &map.name);
    }
    // Of those with one address the first counts.
    std::ranges::stable_sort(names_, {}, &std::pair<Address, const std::string*>::first);
    for (const auto& map : site.embedding_maps) own.push_back(map.virtual_prefix.range());
    own_ = merged(std::move(own));
    for (const auto& peer : site.peers) {
        std::vector<AddressRange> ranges;
        for (const auto& prefix : peer.virtual_prefixes) ranges.push_back(prefix.range());
        for (const auto& range : merged(std::move(ranges))) peers_.emplace_back(range, &peer);
    }
    std::ranges::sort(peers_, {}, [](const auto& item) { return item.first.first; });
}

std::vector<ConnectionFilter> LiveFlows::filters() const {
    constexpr Mark dnat{connection_dnat, connection_dnat};
    constexpr Mark no_dnat{0, connection_dnat};
    return {{.status = dnat},
            {.mark = site_.marks.link(), .status = no_dnat},
            {.mark = site_.marks.tunnel(), .status = no_dnat}};
}

const Peer* LiveFlows::peer_of(const Address& address) const {
    const auto found = std::ranges::lower_bound(peers_, address, {}, [](const auto& item) { return item.first.last; });
    return found == peers_.end() || address < found->first.first ? nullptr : found->second;
}

bool LiveFlows::is_own(const Address& address) const {
    const auto range = std::ranges::lower_bound(own_, address, {}, &AddressRange::last);
    return range != own_.end() && range->first <= address;
}

std::string LiveFlows::name_of_host(const Address& real, const std::optional<Address>& virtual_address) const {
    const auto* found = virtual_address ? find_name(*virtual_address) : nullptr;
    if (found == nullptr) found = find_name(real);
    return found == nullptr ? "" : *found;
}

const std::string* LiveFlows::find_name(const Address& address) const {
    const auto found = std::ranges::lower_bound(names_, address, {}, &std::pair<Address, const std::string*>::first);
    return found == names_.end() || found->first != address ? nullptr : found->second;
}

std::optional<LiveFlow> LiveFlows::read(const Connection& connection) const {
    const Address& source = connection.original.source;
    const Address& called = connection.original.destination;
    const Address& reached = connection.reply.source;
    const Address& shown = connection.reply.destination;
    const bool tunnelled = carries(connection, site_.marks.tunnel());
    LiveFlow flow{.path = tunnelled ? FlowPath::tunnel : FlowPath::link, .connection = connection};
    const auto* caller = peer_of(source);
    const auto* callee = peer_of(called);
    if (callee) {
        flow.began = caller ? Began::transit : Began::here;
        flow.real = source;
        if (!tunnelled) flow.virtual_address = shown;
        flow.far = called;
        flow.peer = callee->name;
    } else if (is_own(called)) {
        flow.began = caller ? Began::there : Began::inside;
        const bool embedding = std::ranges::any_of(
            site_.embedding_maps, [&](const EmbeddingMap& map) { return map.virtual_prefix.contains(called); });
        flow.real = embedding ? embedded_in(called) : reached;
        flow.virtual_address = called;
        flow.far = source;
        if (caller)
            flow.peer = caller->name;
        else if (!tunnelled)
            flow.path = FlowPath::inside;
    } else {
        return std::nullopt;
    }
    flow.name = name_of_host(flow.real, flow.virtual_address);
    return flow;
}

std::string protocol_name(std::uint8_t protocol) {
    const auto* const found = std::ranges::find(protocols, protocol, [](const auto& item) { return item.first; });
    return found == protocols.end() ? std::to_string(protocol) : found->second;
}

std::optional<std::uint8_t> protocol_number(const std::string& name) {
    for (const auto& [number, known] : protocols)
        if (name == known) return number;
    std::uint8_t number = 0;
    const auto* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data(), end, number);
    if (error != std::errc() || rest != end || name.empty()) return std::nullopt;
    return number;
}

std::string tcp_state_name(std::uint8_t state) {
    // enum tcp_conntrack in linux/netfilter/nf_conntrack_tcp.h
    static constexpr std::array names{"none",       "syn_sent", "syn_recv",  "established", "fin_wait",
                                      "close_wait", "last_ack", "time_wait", "close",       "syn_sent2"};
    return state < names.size() ? names[state] : "";
}

} // namespace natctl
