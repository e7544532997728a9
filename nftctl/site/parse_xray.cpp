// SPDX-License-Identifier: GPL-3.0-or-later
#include <charconv>

#include <fmt/format.h>

#include "nftctl/site/parts.h"
#include "nftctl/site/quote.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey listener_keys[] = {
    {"listen", "an address with a port", R"(listen = "198.51.100.2:443")"},
    {"id_file", "a file", R"(id_file = "/etc/natctl/xray.id")"},
    {"run", "a program", R"(run = "/usr/bin/xray")"},
};

constexpr KnownKey server_keys[] = {
    {"server", "a name or an address with a port", R"(server = "b.example.net:443")"},
    {"id_file", "a file", R"(id_file = "/etc/natctl/b.id")"},
};

constexpr const char* server_remedy =
    "write NAME:PORT or ADDRESS:PORT: b.example.net:443, 198.51.100.2:443 or [2001:db8::2]:443";

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, port);
    if (error != std::errc() || stop != end || port == 0) return std::nullopt;
    return port;
}

/// Fills in host and port.
void read_server(const PlacedText& server, XrayServer& xray, Diagnostics& diagnostics) {
    const auto& [text, at] = server;
    xray.at = at;
    // An address, IPv6 in brackets, is read as everywhere; what is in the form of one is no name.
    if (Endpoint::parse(text)) {
        if (const auto endpoint = read_endpoint(text, at, diagnostics)) {
            xray.host = endpoint->address.text();
            xray.port = endpoint->port;
        }
        return;
    }
    const auto colon = text.rfind(':');
    const auto host = text.substr(0, colon);
    if (colon == std::string_view::npos || Address::parse(text)) {
        diagnostics.error(at, fmt::format("{} has no port", quote(text)), server_remedy);
        return;
    }
    const auto port = parse_port(text.substr(colon + 1));
    if (!port || !is_dns_name(host)) {
        diagnostics.error(at, fmt::format("{} is no name or address with a port", quote(text)), server_remedy);
        return;
    }
    xray.host = host;
    xray.port = *port;
}

void read_id_file(const TableReader& reader, std::string& id_file, Position& at, Diagnostics& diagnostics) {
    reader.require("id_file");
    const auto file = reader.text("id_file");
    if (!file || !read_path(file->text, file->at, diagnostics)) return;
    id_file = file->text;
    at = file->at;
}

} // namespace

std::optional<XrayListener> parse_xray(const toml::table& table, std::string& run, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "[xray]", listener_keys, diagnostics);
    if (const auto program = reader.text("run"); program && read_program(program->text, program->at, diagnostics))
        run = program->text;
    // A site that only dials.
    if (reader.has("run") && !reader.has("listen") && !reader.has("id_file")) return std::nullopt;
    XrayListener xray;
    reader.require("listen");
    if (const auto listen = reader.text("listen")) {
        xray.at = listen->at;
        if (const auto endpoint = read_endpoint(listen->text, listen->at, diagnostics)) xray.listen = *endpoint;
    }
    read_id_file(reader, xray.id_file, xray.id_at, diagnostics);
    if (diagnostics.errors() != errors) return std::nullopt;
    return xray;
}

std::optional<XrayServer> parse_xray_server(const toml::table& table, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "xray of a peer", server_keys, diagnostics);
    XrayServer xray;
    reader.require("server");
    if (const auto server = reader.text("server")) read_server(*server, xray, diagnostics);
    read_id_file(reader, xray.id_file, xray.id_at, diagnostics);
    if (diagnostics.errors() != errors) return std::nullopt;
    return xray;
}

} // namespace natctl
