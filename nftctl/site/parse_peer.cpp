// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/parts.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey peer_keys[] = {
    {"name", "text", R"(name = "b")"},
    {"virtual", "a prefix or a list of prefixes", R"(virtual = "240.2.2.0/24" or ["240.2.2.0/24", "fd00:2::/64"])"},
    {"link", "a link or a list of links", R"(link = { dev = "wg0" } or link = { socks5 = "127.0.0.1:1080" })"},
    {"xray", "a table", R"(xray = { server = "b.example.net:443", id_file = "/etc/natctl/b.id" })"},
};

} // namespace

void read_prefixes(const std::vector<PlacedText>& texts, std::vector<Prefix>& prefixes,
                   std::vector<Position>& positions, Diagnostics& diagnostics) {
    for (const auto& [text, at] : texts) {
        const auto prefix = read_prefix(text, at, diagnostics);
        if (!prefix) continue;
        prefixes.push_back(*prefix);
        positions.push_back(at);
    }
}

std::optional<Peer> parse_peer(const toml::table& table, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "[[peer]]", peer_keys, diagnostics);
    Peer peer{.at = reader.at()};

    reader.require("name");
    if (const auto name = reader.text("name"); name && read_name(name->text, name->at, diagnostics)) {
        peer.name = name->text;
        peer.name_at = name->at;
    }
    reader.require("virtual");
    read_prefixes(reader.texts("virtual"), peer.virtual_prefixes, peer.virtual_at, diagnostics);
    reader.require("link");
    const auto links = reader.tables("link");
    for (const auto* link : links)
        if (auto parsed = parse_link(*link, diagnostics)) peer.links.push_back(std::move(*parsed));
    if (const auto* xray = reader.table("xray")) peer.xray = parse_xray_server(*xray, diagnostics);
    if (diagnostics.errors() != errors) return std::nullopt;
    return peer;
}

} // namespace natctl
