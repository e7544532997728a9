// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/parse.h"

#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "nftctl/site/check.h"
#include "nftctl/site/parts.h"
#include "nftctl/site/reader.h"
#include "nftctl/site/toml.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey site_keys[] = {
    {"site", "text", R"(site = "a")"},
    {"lan", "the name of an interface or a list of them", R"(lan = "lan0" or lan = ["lan0", "lan1"])"},
    {"map", "a list of tables", R"([[map]] and below it virtual = "240.1.1.0/24" and real = "192.168.1.0/24")"},
    {"maps", "a file or a list of files", R"(maps = "hosts.map")"},
    {"peer", "a list of tables", R"([[peer]] and below it name = "b", virtual = "240.2.2.0/24" and a link)"},
    {"white_list", "a prefix, a list of prefixes or a table", R"(white_list = ["198.51.100.0/24"])"},
    {"intercept", "a table", R"([intercept] and below it proxy = { socks5 = "127.0.0.1:1080" })"},
    {"helpers", "the name of a protocol or a list of them", R"(helpers = ["ftp", "sip"])"},
    {"tunnel", "a table", "[tunnel] and below it port = 12345"},
    {"xray", "a table", R"([xray] and below it listen = "198.51.100.2:443" and id_file = "/etc/natctl/xray.id")"},
    {"agent", "a table", R"([agent] and below it http = "127.0.0.1:9117")"},
    {"marks", "a table", "[marks] and below it mask = 0x00000f00"},
};

constexpr KnownKey marks_keys[] = {{"mask", "an integer", "mask = 0x00000f00"}};

Marks parse_marks(const toml::table& table, Diagnostics& diagnostics) {
    const TableReader reader(table, "[marks]", marks_keys, diagnostics);
    const auto mask = reader.integer("mask");
    if (!mask) return {};
    if (*mask > 0 && *mask <= std::numeric_limits<std::uint32_t>::max() &&
        Marks::valid_mask(static_cast<std::uint32_t>(*mask)))
        return Marks(static_cast<std::uint32_t>(*mask));
    diagnostics.error(
        begin_of(reader.find("mask")->source()), fmt::format("{:#x} is no mask of four neighbouring bits of 32", *mask),
        "write one as 0x00000f00 (that is the default) or 0xf0000000, of bits that no other program uses");
    return {};
}

Site parse_values(const toml::table& root, Diagnostics& diagnostics) {
    TableReader reader(root, "site.toml", site_keys, diagnostics);
    Site site;
    reader.require("site");
    if (const auto name = reader.text("site"); name && read_name(name->text, name->at, diagnostics))
        site.name = name->text;
    reader.require("lan");
    for (const auto& [text, at] : reader.texts("lan")) {
        if (!read_interface(text, at, diagnostics)) continue;
        site.lan.emplace_back(text);
        site.lan_at.push_back(at);
    }
    const auto maps = reader.table_list("map");
    site.maps.reserve(maps.size());
    for (const auto* table : maps)
        if (is_embedding_map(*table)) {
            if (auto map = parse_embedding_map(*table, diagnostics)) site.embedding_maps.push_back(std::move(*map));
        } else if (auto map = parse_map(*table, diagnostics)) {
            site.maps.push_back(std::move(*map));
        }
    for (const auto& [text, at] : reader.texts("maps"))
        if (read_path(text, at, diagnostics)) site.maps_files.push_back({std::string(text), at});
    for (const auto* table : reader.table_list("peer"))
        if (auto peer = parse_peer(*table, diagnostics)) site.peers.push_back(std::move(*peer));
    site.white_list = parse_white_list(reader, diagnostics);
    if (const auto* table = reader.table("intercept")) site.intercept = parse_intercept(*table, diagnostics);
    site.helpers = parse_helpers(reader, diagnostics);
    if (const auto* table = reader.table("tunnel")) site.tunnel = parse_tunnel(*table, diagnostics);
    if (const auto* table = reader.table("xray")) site.xray = parse_xray(*table, site.xray_run, diagnostics);
    if (const auto* table = reader.table("agent")) site.agent = parse_agent(*table, diagnostics);
    if (const auto* table = reader.table("marks")) site.marks = parse_marks(*table, diagnostics);
    return site;
}

} // namespace

ParseResult parse_site(std::string_view text) {
    Diagnostics diagnostics;
    std::optional<Site> site;
    // The tree is several times as large as the Site: it is gone before the checks need memory.
    if (const auto root = parse_toml(text, diagnostics)) site = parse_values(*root, diagnostics);
    // What is left of a file with errors is sound, so that mistakes between its parts show in the same run.
    if (site) check_site(*site, diagnostics);
    if (diagnostics.errors() != 0) site.reset();
    return {std::move(site), diagnostics.take()};
}

} // namespace natctl
