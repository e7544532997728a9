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
    /// Where the positions are: 0 in site.toml, else in maps_files[file - 1] of the site.
    std::uint32_t file = 0;

    bool is_host() const { return virtual_prefix.is_host(); }
};

/// A file of maps, one a line, that site.toml names.
struct MapsFile {
    /// Absolute, or relative to the working folder, once load_site() has seen it.
    std::string path;
    Position at;
};

/// An IPv6 prefix of length 96 whose addresses carry a real IPv4 address in their last 32 bits (RFC 6052, section 2.2).
struct EmbeddingMap {
    Prefix virtual_prefix;
    /// IPv4; what else is embedded is refused. Never empty.
    std::vector<Prefix> real_prefixes;
    Position at;
    Position virtual_at = {};
    /// Of real_prefixes, one each.
    std::vector<Position> real_at = {};
};

/// User and password for SOCKS5 (RFC 1929) or an HTTP proxy (RFC 7617). The password itself is read when it is needed:
/// see secret.h.
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
    /// The other router's address on the link, which natctl-agent asks whether the link works; absent: the gateway, or
    /// the only other address of the interface's network.
    std::optional<Address> probe = {};
    /// False: it is asked nothing.
    bool probed = true;
    Position at = {};
    Position via4_at = {};
    Position via6_at = {};
    Position probe_at = {};
};

/// A SOCKS5 proxy that reaches the peer.
struct SocksLink {
    Endpoint server;
    std::optional<Credentials> credentials;
    Position at = {};
};

using Link = std::variant<DevLink, SocksLink>;

/// The server of a peer's Xray, which speaks VLESS.
struct XrayServer {
    /// A name of the DNS, or an address.
    std::string host;
    std::uint16_t port = 0;
    /// The id (a UUID) to present stands alone in this file. Absolute once load_site() has seen it.
    std::string id_file;
    /// Of the server.
    Position at;
    Position id_at;
};

struct Peer {
    std::string name;
    std::vector<Prefix> virtual_prefixes;
    /// In order of preference; never empty.
    std::vector<Link> links;
    /// For `natctl xray`: what stands behind the first link to a proxy on loopback.
    std::optional<XrayServer> xray = {};
    Position at;
    Position name_at = {};
    /// Of virtual_prefixes, one each.
    std::vector<Position> virtual_at = {};
};

/// What the clients of a listener speak.
enum class ProxyProtocol : std::uint8_t { socks5, http };

/// One [[tunnel.socks5]] or [[tunnel.http]]: who may connect, and where to.
struct ProxyListener {
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
    ProxyProtocol protocol = ProxyProtocol::socks5;
};

/// As site.toml has it: "[[tunnel.socks5]]".
constexpr const char* title_of(ProxyProtocol protocol) {
    return protocol == ProxyProtocol::http ? "[[tunnel.http]]" : "[[tunnel.socks5]]";
}

struct Tunnel {
    /// Of the transparent listener on 127.0.0.1 and [::1].
    std::uint16_t port = 12345;
    /// Where connections come by REDIRECT instead, TCP only; on every address, as that is where it leads.
    std::uint16_t redirect_port = 12346;
    /// On [::1] alone: flows to an own prefix that carries IPv4 addresses (EmbeddingMap).
    std::uint16_t embedded_port = 12347;
    /// TCP flows open at once, which all other limits follow; 0: as many as the limit of open files has room for.
    std::uint32_t flows = 0;
    /// As they stand in the file.
    std::vector<ProxyListener> listeners;
    /// The program, for natctl-agent to run; empty: somebody else runs it.
    std::string run = {};
};

/// What is never intercepted and never translated.
struct WhiteList {
    std::vector<Prefix> prefixes;
    /// Host names or addresses of proxies and servers; the set follows what they resolve to.
    std::vector<std::string> endpoints;
    /// Interfaces; the set follows their addresses.
    std::vector<std::string> interfaces;
    /// Also private, loopback, link-local, multicast and other addresses that are never the Internet's.
    bool private_networks = false;
    /// A kernel ipset that mirrors the list, NAME for IPv4 and NAME6 for IPv6; empty: none.
    std::string ipset;
    // One each.
    std::vector<Position> prefix_at = {};
    std::vector<Position> endpoint_at = {};
    std::vector<Position> interface_at = {};
    Position ipset_at = {};
};

enum class InterceptBy : std::uint8_t {
    tproxy,
    /// For kernels without TPROXY; TCP only.
    redirect,
};

/// Traffic to the Internet that is handed to the tunnel, which sends it on by `proxy`.
struct Intercept {
    /// Of Site::lan; empty: all of them.
    std::vector<std::string> from;
    /// Empty: everything but the white list.
    std::vector<Prefix> to;
    bool tcp = true;
    bool udp = true;
    InterceptBy by = InterceptBy::tproxy;
    /// Also what this machine itself sends.
    bool local = false;
    /// Where the tunnel takes it.
    SocksLink proxy;
    // Programs of this machine whose traffic is never intercepted, by any of these.
    std::vector<Mark> except_marks = {};
    /// User names or numeric ids.
    std::vector<std::string> except_users = {};
    /// Paths below /sys/fs/cgroup, without a slash in front: "system.slice/xray.service".
    std::vector<std::string> except_cgroups = {};
    Position at = {};
    // One each.
    std::vector<Position> from_at = {};
    std::vector<Position> to_at = {};
    std::vector<Position> mark_at = {};
    std::vector<Position> user_at = {};
    std::vector<Position> cgroup_at = {};
};

/// [xray]: where the local Xray takes VLESS from peers.
struct XrayListener {
    Endpoint listen;
    /// The id (a UUID) that peers have to present stands alone in this file. Absolute once load_site() has seen it.
    std::string id_file;
    Position at;
    Position id_at;
};

/// Where natctl-agent answers HTTP: an address of loopback, or the path of a Unix socket.
struct HttpListener {
    std::variant<Endpoint, std::string> listen;
    Position at = {};

    /// As in site.toml.
    std::string text() const {
        const auto* endpoint = std::get_if<Endpoint>(&listen);
        return endpoint != nullptr ? endpoint->text() : std::get<std::string>(listen);
    }
};

/// [agent]
struct AgentSettings {
    /// Empty: it shows nothing of itself.
    std::vector<HttpListener> http;
    /// A page for people, beside /metrics.
    bool page = false;
    /// No other program can change the table while the agent runs.
    bool own_table = false;
};

/// Protocols that name addresses in their payload; the kernel's helpers translate these.
enum class Helper : std::uint8_t { ftp, sip };

struct Site {
    std::string name;
    /// Interfaces of the LANs.
    std::vector<std::string> lan;
    /// Of site.toml, followed by those of the maps files.
    std::vector<Map> maps;
    std::vector<MapsFile> maps_files = {};
    std::vector<EmbeddingMap> embedding_maps = {};
    std::vector<Peer> peers;
    WhiteList white_list;
    std::optional<Intercept> intercept = {};
    std::vector<Helper> helpers = {};
    Tunnel tunnel;
    /// For `natctl xray`. A site that only dials has none.
    std::optional<XrayListener> xray = {};
    /// The program, for natctl-agent to run; empty: somebody else runs it.
    std::string xray_run = {};
    AgentSettings agent = {};
    Marks marks;
    /// Of lan, one each.
    std::vector<Position> lan_at = {};
};

} // namespace natctl
