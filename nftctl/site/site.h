// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/base/mark.h"

namespace natctl {

// What site.toml says, validated: the values that everything else is computed from.

/// Where something stands in the configuration: line and column from 1, the column in code points; 0 when it stands
/// nowhere, as in values that were made by a program. No other layer needs positions.
struct Position {
    unsigned line = 0;
    unsigned column = 0;
    auto operator<=>(const Position&) const = default;
};

/// A pair of a virtual and a real prefix of one family and length. Of maps that cover an address, the longest wins.
struct Map {
    Prefix virtual_prefix;
    Prefix real_prefix;
    /// For people; empty when not given. Only on host maps.
    std::string name;
    Position at;
    Position virtual_at = {};
    Position real_at = {};

    bool is_host() const { return virtual_prefix.is_host(); }
};

/// User and password for SOCKS5 (RFC 1929). The password itself is read when it is needed: see secret.h.
struct Credentials {
    std::string user;
    /// Absolute once load_site() has seen it.
    std::string password_file;
    /// Of password_file.
    Position at;
};

/// An interface that carries the peer's packets: an overlay, or Ethernet with a gateway.
struct DevLink {
    std::string dev;
    /// At most one gateway a family.
    std::optional<Address> via4;
    std::optional<Address> via6;
    Position at = {};
    Position via4_at = {};
    Position via6_at = {};
};

/// A SOCKS5 proxy that reaches the peer.
struct SocksLink {
    Endpoint server;
    std::optional<Credentials> credentials;
    Position at = {};
};

using Link = std::variant<DevLink, SocksLink>;

struct Peer {
    std::string name;
    std::vector<Prefix> virtual_prefixes;
    /// In order of preference; never empty.
    std::vector<Link> links;
    Position at;
    Position name_at = {};
    /// Of virtual_prefixes, one each.
    std::vector<Position> virtual_at = {};
};

/// One [[tunnel.socks5]]: who may connect, and where to.
struct SocksListener {
    Endpoint listen;
    /// Sources that may connect; empty: only by credentials, or anybody when listening on loopback.
    std::vector<Prefix> allow;
    std::optional<Credentials> credentials;
    /// Destinations beside the own virtual prefixes (`to = [...]`).
    std::vector<Prefix> to;
    Position at;
    Position listen_at = {};
    /// Of allow, one each.
    std::vector<Position> allow_at = {};
};

struct Tunnel {
    /// Of the transparent listener on 127.0.0.1 and [::1].
    std::uint16_t port = 12345;
    std::vector<SocksListener> socks5;
};

struct Site {
    std::string name;
    /// Interfaces of the LANs.
    std::vector<std::string> lan;
    std::vector<Map> maps;
    std::vector<Peer> peers;
    /// Never intercepted, never translated.
    std::vector<Prefix> white_list;
    Tunnel tunnel;
    Marks marks;
    /// Of lan and of white_list, one each.
    std::vector<Position> lan_at = {};
    std::vector<Position> white_list_at = {};
};

} // namespace natctl
