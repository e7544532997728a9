// SPDX-License-Identifier: GPL-3.0-or-later
#define TOML_IMPLEMENTATION
#include "nftctl/site/toml.h"

#include <algorithm>
#include <string>

#include "nftctl/site/lexical.h"
#include "nftctl/site/quote.h"

namespace natctl {

namespace {

struct Hint {
    /// Part of toml++'s description.
    std::string_view description;
    std::string_view remedy;
};

constexpr Hint hints[] = {
    {"could not determine value type", "text stands in quotation marks: lan = \"lan0\""},
    {"saw '[' at the start", "a table header is written [tunnel] or [[map]], alone on its line"},
    {"cannot redefine", "give each key once; what there may be several of is written as [[map]] each time"},
    {"expected comma", "put a comma between the elements of a list"},
    {"inline table", "an inline table stands on one line: { dev = \"wg0\" }"},
    {"parsing string", "close the text with the same quotation mark, on the same line"},
    {"table header", "a table header is written [tunnel] or [[map]], alone on its line"},
    {"expected '='", "write KEY = VALUE"},
    {"utf-8", "save the file as UTF-8"},
    {"expected a comment or whitespace", "start a new line after a value"},
    {"maximum nested value depth", "lists and tables need not be nested deeper than { via = [...] }"},
};

std::string remedy_for(std::string_view description) {
    const auto hint = std::ranges::find_if(
        hints, [&](const Hint& h) { return description.find(h.description) != std::string_view::npos; });
    return std::string(hint != std::end(hints) ? hint->remedy : "see https://toml.io/en/v1.0.0 for the syntax");
}

} // namespace

std::optional<toml::table> parse_toml(std::string_view text, Diagnostics& diagnostics) {
    if (!check_lexically(text, diagnostics)) return std::nullopt;
    auto result = toml::parse(text);
    if (result) return std::move(result).table();

    auto description = result.error().description();
    if (const std::string_view prefix = "Error while "; description.starts_with(prefix))
        description.remove_prefix(prefix.size());
    if (const std::string_view suffix = " (TOML_MAX_NESTED_VALUES)"; description.ends_with(suffix))
        description.remove_suffix(suffix.size());
    const auto at = begin_of(result.error().source());
    diagnostics.error({std::max(at.line, 1u), std::max(at.column, 1u)}, "this is no TOML: " + escape(description),
                      remedy_for(description));
    return std::nullopt;
}

} // namespace natctl
