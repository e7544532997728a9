// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/parts.h"
#include "nftctl/site/values.h"

namespace natctl {

namespace {

constexpr KnownKey white_list_keys[] = {
    {"prefixes", "a prefix or a list of prefixes", R"(prefixes = ["198.51.100.0/24"])"},
    {"endpoints", "the name of a host or a list of them", R"(endpoints = ["proxy.example.net"])"},
    {"interfaces", "the name of an interface or a list of them", R"(interfaces = ["ppp0"])"},
    {"private", "a boolean", "private = true"},
    {"ipset", "text", R"(ipset = "white_list")"},
};

WhiteList parse_table(const toml::table& table, Diagnostics& diagnostics) {
    const TableReader reader(table, "[white_list]", white_list_keys, diagnostics);
    WhiteList list;
    read_prefixes(reader.texts("prefixes", true), list.prefixes, list.prefix_at, diagnostics);
    for (const auto& [text, at] : reader.texts("endpoints", true)) {
        if (!read_endpoint_name(text, at, diagnostics)) continue;
        list.endpoints.emplace_back(text);
        list.endpoint_at.push_back(at);
    }
    for (const auto& [text, at] : reader.texts("interfaces", true)) {
        if (!read_interface(text, at, diagnostics)) continue;
        list.interfaces.emplace_back(text);
        list.interface_at.push_back(at);
    }
    list.private_networks = reader.boolean("private").value_or(false);
    if (const auto name = reader.text("ipset"); name && read_ipset(name->text, name->at, diagnostics)) {
        list.ipset = name->text;
        list.ipset_at = name->at;
    }
    return list;
}

} // namespace

WhiteList parse_white_list(const TableReader& root, Diagnostics& diagnostics) {
    const auto* node = root.find("white_list");
    if (node == nullptr) return {};
    if (const auto* table = node->as_table()) return parse_table(*table, diagnostics);
    if (node->is_array_of_tables()) {
        diagnostics.error(begin_of(node->source()), "\"white_list\" is a list of tables",
                          "there is one white list: write [white_list], and in it each key once");
        return {};
    }
    WhiteList list;
    read_prefixes(root.texts("white_list", true), list.prefixes, list.prefix_at, diagnostics);
    return list;
}

} // namespace natctl
