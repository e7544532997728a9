// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/reader.h"

#include <algorithm>
#include <cassert>

#include <fmt/format.h>

#include "nftctl/site/quote.h"
#include "nftctl/site/spelling.h"

namespace natctl {

std::string_view type_name(const toml::node& node) {
    switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "a list";
    case toml::node_type::string: return "text";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a fraction";
    case toml::node_type::boolean: return "a boolean";
    case toml::node_type::date: return "a date";
    case toml::node_type::time: return "a time";
    case toml::node_type::date_time: return "a date and time";
    case toml::node_type::none: break;
    }
    return "nothing";
}

TableReader::TableReader(const toml::table& table, std::string_view title, std::span<const KnownKey> keys,
                         Diagnostics& diagnostics)
    : table_(table),
      title_(title),
      keys_(keys),
      diagnostics_(diagnostics),
      at_(begin_of(table.source())) {
    for (const auto& [found, value] : table_)
        if (std::ranges::find(keys_, found.str(), &KnownKey::name) == keys_.end()) report_unknown(found);
}

const KnownKey& TableReader::key(std::string_view name) const {
    const auto found = std::ranges::find(keys_, name, &KnownKey::name);
    assert(found != keys_.end());
    return *found;
}

void TableReader::report_unknown(const toml::key& found) {
    std::vector<std::string_view> names;
    for (const auto& key : keys_) names.push_back(key.name);
    // A word of another length by far is no misspelling, and the distance is quadratic.
    const auto word = found.str().substr(0, 64);
    const auto meant = nearest(word, names);
    if (edit_distance(word, meant) <= 2) misspelled_.push_back(meant);
    diagnostics_.error(begin_of(found.source()), fmt::format("unknown key {} in {}", quote(found.str()), title_),
                       fmt::format("the nearest known key is \"{}\"; known here: {}", meant, fmt::join(names, ", ")));
}

void TableReader::report_type(std::string_view name, const toml::node& found) const {
    const auto& wanted = key(name);
    diagnostics_.error(begin_of(found.source()),
                       fmt::format("\"{}\" is {}, not {}", name, type_name(found), wanted.noun),
                       fmt::format("write {}", wanted.example));
}

void TableReader::report_empty(std::string_view name, const toml::node& found) const {
    diagnostics_.error(begin_of(found.source()), fmt::format("\"{}\" is an empty list", name),
                       fmt::format("write {}", key(name).example));
}

const toml::node* TableReader::require(std::string_view name) const {
    const auto* node = find(name);
    if (node == nullptr && std::ranges::find(misspelled_, name) == misspelled_.end())
        diagnostics_.error(at_, fmt::format("{} has no \"{}\"", title_, name),
                           fmt::format("add {}", key(name).example));
    return node;
}

std::optional<PlacedText> TableReader::text(std::string_view name) const {
    const auto* node = find(name);
    if (node == nullptr) return std::nullopt;
    if (const auto* string = node->as_string()) return PlacedText{string->get(), begin_of(node->source())};
    report_type(name, *node);
    return std::nullopt;
}

std::optional<std::int64_t> TableReader::integer(std::string_view name) const {
    const auto* node = find(name);
    if (node == nullptr) return std::nullopt;
    if (const auto* integer = node->as_integer()) return integer->get();
    report_type(name, *node);
    return std::nullopt;
}

std::optional<bool> TableReader::boolean(std::string_view name) const {
    const auto* node = find(name);
    if (node == nullptr) return std::nullopt;
    if (const auto* boolean = node->as_boolean()) return boolean->get();
    report_type(name, *node);
    return std::nullopt;
}

std::vector<PlacedText> TableReader::texts(std::string_view name, bool may_be_empty) const {
    const auto* node = find(name);
    if (node == nullptr) return {};
    const auto* array = node->as_array();
    if (array == nullptr) {
        const auto single = text(name);
        return single ? std::vector{*single} : std::vector<PlacedText>{};
    }
    if (array->empty() && !may_be_empty) report_empty(name, *node);
    std::vector<PlacedText> texts;
    texts.reserve(array->size());
    for (const auto& element : *array) {
        if (const auto* string = element.as_string())
            texts.push_back({string->get(), begin_of(element.source())});
        else
            report_type(name, element);
    }
    return texts;
}

const toml::table* TableReader::table(std::string_view name) const {
    const auto* node = find(name);
    if (node == nullptr) return nullptr;
    if (const auto* table = node->as_table()) return table;
    report_type(name, *node);
    return nullptr;
}

std::vector<const toml::table*> TableReader::tables(std::string_view name) const {
    const auto* node = find(name);
    if (node == nullptr) return {};
    if (const auto* array = node->as_array()) {
        if (array->empty()) report_empty(name, *node);
        return table_list(name);
    }
    if (const auto* one = table(name)) return {one};
    return {};
}

std::vector<const toml::table*> TableReader::table_list(std::string_view name) const {
    const auto* node = find(name);
    if (node == nullptr) return {};
    const auto* array = node->as_array();
    if (array == nullptr) {
        report_type(name, *node);
        return {};
    }
    std::vector<const toml::table*> tables;
    tables.reserve(array->size());
    for (const auto& element : *array) {
        if (const auto* table = element.as_table())
            tables.push_back(table);
        else
            report_type(name, element);
    }
    return tables;
}

} // namespace natctl
