// SPDX-License-Identifier: GPL-3.0-or-later
#include <fmt/format.h>

#include "nftctl/site/map_keys.h"
#include "nftctl/site/parts.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr unsigned embedding_length = 96;

std::optional<Prefix> prefix_at(const toml::table& table, std::string_view name) {
    const auto* node = table.get(name);
    const auto* text = node ? node->as_string() : nullptr;
    return text ? Prefix::parse(text->get()) : std::nullopt;
}

void read_virtual(const TableReader& reader, EmbeddingMap& map, Diagnostics& diagnostics) {
    reader.require("virtual");
    const auto text = reader.text("virtual");
    if (!text) return;
    map.virtual_at = text->at;
    const auto prefix = read_prefix(text->text, text->at, diagnostics);
    if (!prefix) return;
    map.virtual_prefix = *prefix;
    if (prefix->length() != embedding_length)
        diagnostics.error(
            text->at, fmt::format("{} cannot carry IPv4 addresses: they take its last 32 bits", prefix->text()),
            fmt::format("give it the length 96, as in {}", Prefix(prefix->network(), embedding_length).text()));
}

void read_reals(const TableReader& reader, EmbeddingMap& map, Diagnostics& diagnostics) {
    reader.require("real");
    read_prefixes(reader.texts("real"), map.real_prefixes, map.real_at, diagnostics);
    for (std::size_t i = 0; i < map.real_prefixes.size(); ++i)
        if (map.real_prefixes[i].family() == Family::ipv6)
            diagnostics.error(
                map.real_at[i], fmt::format("{} does not fit into the last 32 bits", map.real_prefixes[i].text()),
                "list IPv4 prefixes alone; IPv6 prefixes have a [[map]] of their own, to a virtual one of "
                "the same length");
}

} // namespace

bool is_embedding_map(const toml::table& table) {
    const auto virtual_prefix = prefix_at(table, "virtual");
    if (virtual_prefix && virtual_prefix->family() == Family::ipv4) return false;
    const auto* real = table.get("real");
    if (real && real->is_array()) return true;
    const auto real_prefix = prefix_at(table, "real");
    return virtual_prefix && real_prefix && real_prefix->family() == Family::ipv4;
}

std::optional<EmbeddingMap> parse_embedding_map(const toml::table& table, Diagnostics& diagnostics) {
    const auto errors = diagnostics.errors();
    const TableReader reader(table, "[[map]]", map_keys, diagnostics);
    EmbeddingMap map{.at = reader.at()};
    read_virtual(reader, map, diagnostics);
    read_reals(reader, map, diagnostics);
    if (const auto name = reader.text("name"))
        diagnostics.error(name->at, "a name for all addresses of a prefix",
                          "only single hosts have names: give the host a [[map]] of its own, or remove the name");
    if (diagnostics.errors() != errors) return std::nullopt;
    return map;
}

} // namespace natctl
