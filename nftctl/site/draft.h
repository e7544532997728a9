// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/site/site.h"

namespace natctl {

// The first site.toml of a router, as text with comments, from what was asked for and what was found there.

/// An interface of the router, as far as a draft cares.
struct FoundInterface {
    std::string name;
    /// IPv4, in the order of its addresses.
    std::vector<Prefix> networks;
    /// Point-to-point, or of an overlay: WireGuard, tun, ZeroTier.
    bool is_overlay = false;
    /// The way to the Internet.
    bool is_default = false;
};

/// One network of a LAN.
struct DraftLan {
    std::string interface;
    Prefix real;
    /// nullopt: one is proposed.
    std::optional<Prefix> virtual_prefix;
};

struct Draft {
    std::string site;
    std::vector<DraftLan> lans;
    /// The LANs were found, not named.
    bool lans_found = false;
    std::vector<Peer> peers;
    /// Interfaces that may lead to a peer.
    std::vector<std::string> overlays;
    /// Further networks that a proposal must keep clear of.
    std::vector<Prefix> taken;
};

/// "lan0", or "lan0=192.168.1.0/24" where the network is not to be looked up. `real` is absent in the first form.
struct LanWish {
    std::string interface;
    std::optional<Prefix> real;
};
std::optional<LanWish> parse_lan_wish(const std::string& text);

/// "NAME=PREFIX[,PREFIX...]@LINK"; LINK is "wg0", "eth1/198.51.100.2" (interface and gateway) or
/// "socks5:127.0.0.1:1080".
std::optional<Peer> parse_peer_wish(const std::string& text);

/// What may name a site made of a host name: its first label, without what no name may have. Never empty.
std::string site_name_of(const std::string& host_name);

/// Networks of interfaces that look like LANs: private IPv4 (RFC 1918), of more than two addresses, not on the way to
/// the Internet, no overlay, not made by containers or virtual machines, not the link of a peer.
std::vector<DraftLan> find_lans(std::span<const FoundInterface> interfaces, std::span<const Peer> peers);

/// Where proposals come from (RFC 2544): routed nowhere, and Windows sends there, other than to 240.0.0.0/4.
Prefix proposal_range();

struct Proposed {
    bool ok = true;
    /// The network there is no room for.
    Prefix real;
};

/// Fills in the virtual prefixes that are missing, each as long as the real one. The first place tried follows from the
/// site's name, so that sites of different names hardly meet.
Proposed propose_virtual_prefixes(Draft& draft);

/// The text of site.toml; `path` is where it will be. All virtual prefixes are filled in. What was asked for stands in
/// it as it was: parse_site() says whether it is allowed.
std::string write_draft(const Draft& draft, const std::string& path);

} // namespace natctl
