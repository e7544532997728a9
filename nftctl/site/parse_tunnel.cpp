// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "nftctl/site/parts.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey tunnel_keys[] = {
    {"port", "a port", "port = 12345"},
    {"socks5", "a list of tables", R"([[tunnel.socks5]] and below it listen = "127.0.0.1:1080")"},
};

constexpr KnownKey listener_keys[] = {
    {"listen", "an address with a port", R"(listen = "198.51.100.2:1080")"},
    {"allow", "a prefix or a list of prefixes", R"(allow = ["198.51.100.1/32"])"},
    {"user", "text", R"(user = "a")"},
    {"password_file", "a file", R"(password_file = "/etc/natctl/a.password")"},
    {"to", "a prefix or a list of prefixes", R"(to = ["203.0.113.0/24"])"},
};

std::optional<SocksListener> parse_listener(const toml::table& table, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "[[tunnel.socks5]]", listener_keys, diagnostics);
    SocksListener listener{.at = reader.at()};
    reader.require("listen");
    if (const auto listen = reader.text("listen")) {
        listener.listen_at = listen->at;
        if (const auto endpoint = read_endpoint(listen->text, listen->at, diagnostics)) listener.listen = *endpoint;
    }
    read_prefixes(reader.texts("allow"), listener.allow, listener.allow_at, diagnostics);
    listener.credentials = parse_credentials(reader, diagnostics);
    std::vector<Position> unused;
    read_prefixes(reader.texts("to", true), listener.to, unused, diagnostics);
    if (diagnostics.errors() != errors) return std::nullopt;
    return listener;
}

} // namespace

Tunnel parse_tunnel(const toml::table& table, Diagnostics& diagnostics) {
    const TableReader reader(table, "[tunnel]", tunnel_keys, diagnostics);
    Tunnel tunnel;
    if (const auto port = reader.integer("port")) {
        if (*port >= 1 && *port <= 65535)
            tunnel.port = static_cast<std::uint16_t>(*port);
        else
            diagnostics.error(begin_of(reader.find("port")->source()), fmt::format("{} is no port", *port),
                              "write a number from 1 to 65535, or leave it out: it is 12345 then");
    }
    for (const auto* listener : reader.table_list("socks5"))
        if (auto parsed = parse_listener(*listener, diagnostics)) tunnel.socks5.push_back(std::move(*parsed));
    return tunnel;
}

} // namespace natctl
