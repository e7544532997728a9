// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/reader.h"
#include "nftctl/site/site.h"
#include "nftctl/site/toml.h"

namespace natctl {

// The parts of site.toml, one source each. Each returns nullopt when it has reported an error: what is left is sound,
// and worth checking against the rest.

/// What is_embedding_map() is false for.
std::optional<Map> parse_map(const toml::table& table, Diagnostics& diagnostics);
/// Whether the [[map]] is meant to lead from IPv6 to IPv4.
bool is_embedding_map(const toml::table& table);
std::optional<EmbeddingMap> parse_embedding_map(const toml::table& table, Diagnostics& diagnostics);
std::optional<Peer> parse_peer(const toml::table& table, Diagnostics& diagnostics);
std::optional<Link> parse_link(const toml::table& table, Diagnostics& diagnostics);
/// A link by a proxy and no other.
std::optional<SocksLink> parse_proxy(const toml::table& table, Diagnostics& diagnostics);
std::optional<Intercept> parse_intercept(const toml::table& table, Diagnostics& diagnostics);
/// The key `helpers`.
std::vector<Helper> parse_helpers(const TableReader& root, Diagnostics& diagnostics);
/// The key `white_list`: prefixes, or a table; unsound entries are left out.
WhiteList parse_white_list(const TableReader& root, Diagnostics& diagnostics);
/// [tunnel] with its listeners; those with errors are left out.
Tunnel parse_tunnel(const toml::table& table, Diagnostics& diagnostics);

/// [xray], and its key `run`.
std::optional<XrayListener> parse_xray(const toml::table& table, std::string& run, Diagnostics& diagnostics);
/// The key `xray` of a peer.
std::optional<XrayServer> parse_xray_server(const toml::table& table, Diagnostics& diagnostics);

/// [agent]; listeners with errors are left out.
AgentSettings parse_agent(const toml::table& table, Diagnostics& diagnostics);

/// The keys `user` and `password_file` of a table: both or none.
std::optional<Credentials> parse_credentials(const TableReader& table, Diagnostics& diagnostics);

/// Prefixes with their positions; unsound ones are left out.
void read_prefixes(const std::vector<PlacedText>& texts, std::vector<Prefix>& prefixes,
                   std::vector<Position>& positions, Diagnostics& diagnostics);

} // namespace natctl
