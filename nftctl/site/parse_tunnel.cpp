// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "nftctl/site/parts.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey tunnel_keys[] = {
    {"port", "a port", "port = 12345"},
    {"redirect_port", "a port", "redirect_port = 12346"},
    {"embedded_port", "a port", "embedded_port = 12347"},
    {"flows", "a number", "flows = 10000"},
    {"run", "a program", R"(run = "/usr/sbin/natctl-tunnel")"},
    {"socks5", "a list of tables", R"([[tunnel.socks5]] and below it listen = "127.0.0.1:1080")"},
    {"http", "a list of tables", R"([[tunnel.http]] and below it listen = "127.0.0.1:8080")"},
};

constexpr KnownKey listener_keys[] = {
    {"listen", "an address with a port", R"(listen = "198.51.100.2:1080")"},
    {"allow", "a prefix or a list of prefixes", R"(allow = ["198.51.100.1/32"])"},
    {"user", "text", R"(user = "a")"},
    {"password_file", "a file", R"(password_file = "/etc/natctl/a.password")"},
    {"to", "a prefix or a list of prefixes", R"(to = ["203.0.113.0/24"])"},
};

/// HTTP sends both as one text, which a colon divides (RFC 7617, section 2).
void refuse_colon(const TableReader& reader, Diagnostics& diagnostics) {
    if (const auto user = reader.text("user"); user && user->text.find(':') != std::string_view::npos)
        diagnostics.error(user->at, "a user of an HTTP proxy has no colon in its name", "choose another name");
}

std::optional<ProxyListener> parse_listener(const toml::table& table, ProxyProtocol protocol,
                                            Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, title_of(protocol), listener_keys, diagnostics);
    ProxyListener listener{.at = reader.at(), .protocol = protocol};
    reader.require("listen");
    if (const auto listen = reader.text("listen")) {
        listener.listen_at = listen->at;
        if (const auto endpoint = read_endpoint(listen->text, listen->at, diagnostics)) listener.listen = *endpoint;
    }
    read_prefixes(reader.texts("allow"), listener.allow, listener.allow_at, diagnostics);
    listener.credentials = parse_credentials(reader, diagnostics);
    if (protocol == ProxyProtocol::http && listener.credentials) refuse_colon(reader, diagnostics);
    std::vector<Position> unused;
    read_prefixes(reader.texts("to", true), listener.to, unused, diagnostics);
    if (diagnostics.errors() != errors) return std::nullopt;
    return listener;
}

/// A `usual` beyond the last port begins again at 1024.
void read_port(const TableReader& reader, const char* key, std::int64_t usual, std::uint16_t& port,
               Diagnostics& diagnostics) {
    if (usual > 65535) usual += 1024 - 65536;
    const std::int64_t value = reader.integer(key).value_or(usual);
    if (value >= 1 && value <= 65535)
        port = static_cast<std::uint16_t>(value);
    else
        diagnostics.error(begin_of(reader.find(key)->source()), fmt::format("{} is no port", value),
                          fmt::format("write a number from 1 to 65535, or leave it out: it is {} then", usual));
}

/// What is less than the fewest would be rounded up.
constexpr std::int64_t fewest_flows = 16;
constexpr std::int64_t most_flows = 1'000'000;

void read_flows(const TableReader& reader, std::uint32_t& flows, Diagnostics& diagnostics) {
    const auto value = reader.integer("flows");
    if (!value) return;
    if (*value >= fewest_flows && *value <= most_flows)
        flows = static_cast<std::uint32_t>(*value);
    else
        diagnostics.error(begin_of(reader.find("flows")->source()), fmt::format("{} is no limit of flows", *value),
                          fmt::format("write a number from {} to {}, or leave it out: the limit of open files decides "
                                      "then",
                                      fewest_flows, most_flows));
}

/// Two that are equal cannot both be the usual ones: at least one key is there to point at.
void refuse_equal_ports(const TableReader& reader, const Tunnel& tunnel, Diagnostics& diagnostics) {
    const std::pair<const char*, std::uint16_t> ports[] = {
        {"port", tunnel.port}, {"redirect_port", tunnel.redirect_port}, {"embedded_port", tunnel.embedded_port}};
    for (const auto* second = ports + 1; second != std::end(ports); ++second)
        for (const auto* first = ports; first != second; ++first) {
            if (first->second != second->second) continue;
            const auto* given = reader.has(second->first) ? second : first;
            const auto* other = given == second ? first : second;
            diagnostics.error(begin_of(reader.find(given->first)->source()),
                              fmt::format("\"{}\" and \"{}\" are both {}", given->first, other->first, given->second),
                              "give each a port of its own");
        }
}

} // namespace

Tunnel parse_tunnel(const toml::table& table, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "[tunnel]", tunnel_keys, diagnostics);
    Tunnel tunnel;
    read_port(reader, "port", 12345, tunnel.port, diagnostics);
    read_port(reader, "redirect_port", tunnel.port + 1, tunnel.redirect_port, diagnostics);
    read_port(reader, "embedded_port", tunnel.port + 2, tunnel.embedded_port, diagnostics);
    read_flows(reader, tunnel.flows, diagnostics);
    if (const auto run = reader.text("run"); run && read_program(run->text, run->at, diagnostics))
        tunnel.run = run->text;
    if (diagnostics.errors() == errors) refuse_equal_ports(reader, tunnel, diagnostics);
    for (const auto& [key, protocol] :
         {std::pair("socks5", ProxyProtocol::socks5), std::pair("http", ProxyProtocol::http)})
        for (const auto* listener : reader.table_list(key))
            if (auto parsed = parse_listener(*listener, protocol, diagnostics))
                tunnel.listeners.push_back(std::move(*parsed));
    std::ranges::sort(tunnel.listeners, {}, &ProxyListener::at);
    return tunnel;
}

} // namespace natctl
