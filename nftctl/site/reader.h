// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/toml.h"

namespace natctl {

// From the tree to typed values. What is missing or of the wrong type is reported here, in one wording.

/// A key as users know it.
struct KnownKey {
    std::string_view name;
    /// What its value is, for "is ..., not NOUN".
    std::string_view noun;
    /// A value as it is written in the file.
    std::string_view example;
};

/// Text from the file. Lives as long as the tree.
struct PlacedText {
    std::string_view text;
    Position at;
};

class TableReader {
public:
    /// Reports every key that is not among `keys`. `title` is how users know the table: "[[map]]".
    TableReader(const toml::table& table, std::string_view title, std::span<const KnownKey> keys,
                Diagnostics& diagnostics);

    Position at() const { return at_; }
    /// nullptr when there is none. `name` is one of the keys.
    const toml::node* find(std::string_view name) const { return table_.get(name); }
    bool has(std::string_view name) const { return find(name) != nullptr; }
    /// As find(), but a missing key is reported, unless a misspelling of it was.
    const toml::node* require(std::string_view name) const;

    // Each of these is nullopt or empty when the key is absent, or when its value is of another type, which is
    // reported.
    std::optional<PlacedText> text(std::string_view name) const;
    std::optional<std::int64_t> integer(std::string_view name) const;
    std::optional<bool> boolean(std::string_view name) const;
    /// A string, or a list of strings. An empty list is reported unless `may_be_empty`.
    std::vector<PlacedText> texts(std::string_view name, bool may_be_empty = false) const;
    const toml::table* table(std::string_view name) const;
    /// A table, or a list of tables. An empty list is reported.
    std::vector<const toml::table*> tables(std::string_view name) const;
    /// A list of tables that are written as [[name]].
    std::vector<const toml::table*> table_list(std::string_view name) const;

    void report_type(std::string_view name, const toml::node& found) const;

private:
    const KnownKey& key(std::string_view name) const;
    void report_unknown(const toml::key& found);
    void report_empty(std::string_view name, const toml::node& found) const;

    const toml::table& table_;
    std::string_view title_;
    std::span<const KnownKey> keys_;
    Diagnostics& diagnostics_;
    Position at_;
    /// Known keys that unknown ones were surely meant to be.
    std::vector<std::string_view> misspelled_;
};

/// "an integer", "a list" and so on.
std::string_view type_name(const toml::node& node);

} // namespace natctl
