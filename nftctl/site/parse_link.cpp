// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "nftctl/site/parts.h"
#include "nftctl/site/quote.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey link_keys[] = {
    {"dev", "the name of an interface", R"({ dev = "wg0" })"},
    {"via", "an address or a list of addresses", R"({ dev = "eth1", via = "198.51.100.2" })"},
    {"probe", "an address, or false", R"({ dev = "wg0", probe = "10.99.0.2" })"},
    {"socks5", "an address with a port", R"({ socks5 = "127.0.0.1:1080" })"},
    {"user", "text", R"({ socks5 = "127.0.0.1:1080", user = "a", password_file = "/etc/natctl/b.password" })"},
    {"password_file", "a file",
     R"({ socks5 = "127.0.0.1:1080", user = "a", password_file = "/etc/natctl/b.password" })"},
};

constexpr KnownKey proxy_keys[] = {
    {"socks5", "an address with a port", R"({ socks5 = "127.0.0.1:1080" })"},
    {"user", "text", R"({ socks5 = "127.0.0.1:1080", user = "a", password_file = "/etc/natctl/b.password" })"},
    {"password_file", "a file",
     R"({ socks5 = "127.0.0.1:1080", user = "a", password_file = "/etc/natctl/b.password" })"},
};

constexpr const char* both_kinds =
    R"(write { dev = "wg0" }, { dev = "eth1", via = "198.51.100.2" } or { socks5 = "127.0.0.1:1080" })";

/// Keys that belong to the other kind of link.
void refuse_keys(const TableReader& reader, std::span<const std::string_view> names, std::string_view kind,
                 Diagnostics& diagnostics) {
    for (const auto name : names)
        if (const auto* node = reader.find(name))
            diagnostics.error(begin_of(node->source()), fmt::format("\"{}\" means nothing in {}", name, kind),
                              both_kinds);
}

/// An address, or false.
void parse_probe(const TableReader& reader, DevLink& link, Diagnostics& diagnostics) {
    const auto* const node = reader.find("probe");
    if (!node) return;
    link.probe_at = begin_of(node->source());
    if (const auto* const wanted = node->as_boolean()) {
        link.probed = wanted->get();
        return;
    }
    if (const auto text = reader.text("probe")) link.probe = read_address(text->text, text->at, diagnostics);
}

DevLink parse_dev_link(const TableReader& reader, Diagnostics& diagnostics) {
    static constexpr std::array<std::string_view, 2> foreign{"user", "password_file"};
    refuse_keys(reader, foreign, "a link by an interface", diagnostics);
    DevLink link;
    if (const auto dev = reader.text("dev"); dev && read_interface(dev->text, dev->at, diagnostics)) {
        link.dev = dev->text;
        link.at = dev->at;
    }
    for (const auto& via : reader.texts("via")) {
        const auto address = read_address(via.text, via.at, diagnostics);
        if (!address) continue;
        const bool v4 = address->family() == Family::ipv4;
        auto& gateway = v4 ? link.via4 : link.via6;
        if (gateway)
            diagnostics.error(via.at, fmt::format("a second {} gateway", v4 ? "IPv4" : "IPv6"),
                              "name at most one gateway of each family; for another way to the peer add another link");
        gateway = address;
        (v4 ? link.via4_at : link.via6_at) = via.at;
    }
    parse_probe(reader, link, diagnostics);
    return link;
}

SocksLink parse_socks_link(const TableReader& reader, Diagnostics& diagnostics) {
    SocksLink link;
    if (const auto server = reader.text("socks5")) {
        link.at = server->at;
        if (const auto endpoint = read_endpoint(server->text, server->at, diagnostics)) link.server = *endpoint;
    }
    link.credentials = parse_credentials(reader, diagnostics);
    return link;
}

} // namespace

std::optional<Link> parse_link(const toml::table& table, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "a link", link_keys, diagnostics);
    std::optional<Link> link;
    if (reader.has("dev") && reader.has("socks5"))
        diagnostics.error(reader.at(), "a link with both \"dev\" and \"socks5\"",
                          "make them two links: link = [ { dev = ... }, { socks5 = ... } ], preferred first");
    else if (reader.has("dev"))
        link = parse_dev_link(reader, diagnostics);
    else if (reader.has("socks5")) {
        static constexpr std::array<std::string_view, 2> foreign{"via", "probe"};
        refuse_keys(reader, foreign, "a link by a SOCKS5 proxy", diagnostics);
        link = parse_socks_link(reader, diagnostics);
    } else
        diagnostics.error(reader.at(), "a link with neither \"dev\" nor \"socks5\"", both_kinds);
    if (diagnostics.errors() != errors) return std::nullopt;
    return link;
}

std::optional<SocksLink> parse_proxy(const toml::table& table, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "a proxy", proxy_keys, diagnostics);
    reader.require("socks5");
    auto link = parse_socks_link(reader, diagnostics);
    if (diagnostics.errors() != errors) return std::nullopt;
    return link;
}

std::optional<Credentials> parse_credentials(const TableReader& reader, Diagnostics& diagnostics) {
    const auto user = reader.text("user");
    const auto file = reader.text("password_file");
    if (user) read_user(user->text, user->at, diagnostics);
    if (file) read_path(file->text, file->at, diagnostics);
    if (reader.has("user") && !reader.has("password_file") && user)
        diagnostics.error(user->at, "\"user\" without \"password_file\"",
                          R"(put the password in a file of its own and add password_file = "/etc/natctl/b.password")");
    if (reader.has("password_file") && !reader.has("user") && file)
        diagnostics.error(file->at, "\"password_file\" without \"user\"", R"(add user = "...")");
    if (!user || !file) return std::nullopt;
    return Credentials{std::string(user->text), std::string(file->text), file->at};
}

} // namespace natctl
