// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nftctl/plan/connection.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Who began a flow, seen from this site.
enum class Began : std::uint8_t {
    /// A host of this site, or this router, with a peer.
    here,
    /// A peer, with a host of this site.
    there,
    /// A peer, with another peer, through this router.
    transit,
    /// A host of this site, or natctl-tunnel on this router, with a host of this site under its virtual address.
    inside,
};

enum class FlowPath : std::uint8_t { link, tunnel, inside };

/// "here", "there", "transit", "inside"
const char* name_of(Began began);
/// "link", "tunnel", "inside"
const char* name_of(FlowPath path);

/// A connection in the words of a site.
struct LiveFlow {
    Began began = Began::here;
    FlowPath path = FlowPath::link;
    /// This site's end. In transit: the peer's that began it.
    Address real;
    /// What the other end calls it; absent where the path shows nobody (a proxy).
    std::optional<Address> virtual_address = {};
    /// Of the host map; empty: it has none.
    std::string name = {};
    /// The other end.
    Address far;
    /// Of the other end; empty inside the site.
    std::string peer = {};
    Connection connection;

    // TCP, UDP and the like; 0 else. As the ends see them.
    std::uint16_t port() const;
    std::uint16_t far_port() const;

    /// nullopt: the kernel does not keep when flows began.
    std::optional<std::chrono::seconds> age(std::chrono::system_clock::time_point now) const;
    /// As tcp_state_name(); empty where it is none of TCP.
    std::string tcp_state() const;
    // What this end sent and what came to it; the connection's directions are those of who began.
    std::optional<Traffic> sent() const;
    std::optional<Traffic> received() const;
};

/// Which flows to show; all that is given must hold.
struct FlowSelection {
    std::string peer = {};
    /// Either end: its real or virtual address, or the name of a host map.
    std::string host = {};
    std::optional<std::uint8_t> protocol = {};
    /// Of either end.
    std::optional<std::uint16_t> port = {};

    bool matches(const LiveFlow& flow) const;
};

/// Tells the flows of a site among connections. The site must outlive it.
class LiveFlows {
public:
    explicit LiveFlows(const Site& site);

    /// Where they are among the connections.
    std::vector<ConnectionFilter> filters() const;
    /// nullopt: it is none of ours.
    std::optional<LiveFlow> read(const Connection& connection) const;

private:
    const Peer* peer_of(const Address& address) const;
    bool is_own(const Address& address) const;
    std::string name_of_host(const Address& real, const std::optional<Address>& virtual_address) const;
    const std::string* find_name(const Address& address) const;

    const Site& site_;
    std::vector<AddressRange> own_;
    /// Of no two peers overlapping; sorted.
    std::vector<std::pair<AddressRange, const Peer*>> peers_;
    /// Of host maps, by virtual and by real address, sorted.
    std::vector<std::pair<Address, const std::string*>> names_;
};

/// "tcp", "icmpv6", or the number.
std::string protocol_name(std::uint8_t protocol);
/// The inverse; nullopt: unknown.
std::optional<std::uint8_t> protocol_number(const std::string& name);
/// Of TCP, as `conntrack -L` writes it but in small letters; empty when unknown.
std::string tcp_state_name(std::uint8_t state);

} // namespace natctl
