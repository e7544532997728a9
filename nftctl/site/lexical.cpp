// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/lexical.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "nftctl/site/quote.h"

namespace natctl {

namespace {

constexpr unsigned max_key_parts = 16;

bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

/// The index after the text that starts at `start`, or after the line when it does not end there.
std::size_t skip_text(std::string_view toml, std::size_t start) {
    const char quote_mark = toml[start];
    for (std::size_t i = start + 1; i < toml.size(); ++i) {
        if (toml[i] == quote_mark || toml[i] == '\n') return i + 1;
        if (toml[i] == '\\' && quote_mark == '"') ++i;
    }
    return toml.size();
}

Position position_of(std::string_view text, std::size_t offset) {
    const auto before = text.substr(0, offset);
    Position at{1 + static_cast<unsigned>(std::ranges::count(before, '\n')), 1};
    auto line = before.substr(before.rfind('\n') + 1);
    for (; !line.empty(); ++at.column) line.remove_prefix(first_code_point(line).length);
    return at;
}

void report_non_ascii(std::string_view rest, Position at, Diagnostics& diagnostics) {
    const auto point = first_code_point(rest);
    if (!point.valid)
        diagnostics.error(at, "this is no UTF-8", "save the file as UTF-8");
    else
        diagnostics.error(at, fmt::format("{} outside of quotation marks", quote(rest.substr(0, point.length))),
                          R"(put text in plain quotation marks: lan = "lan0"; elsewhere only ASCII is allowed)");
}

/// True when text may begin after this character, blanks aside. Not after a dot: no key here needs quotation marks.
bool may_precede_text(char c) { return std::string_view("\n=[{,").find(c) != std::string_view::npos; }

void report_quote(std::string_view rest, Position at, char previous, Diagnostics& diagnostics) {
    if (!may_precede_text(previous))
        diagnostics.error(at, "a quotation mark in the middle of a value, or after one",
                          "put a comma between the elements of a list, start a new line after a value, and put text in "
                          "quotation marks as a whole");
    else if (rest.starts_with(std::string(3, rest[0])))
        diagnostics.error(at, "text of several lines has no use here",
                          "write text on one line, in single quotation marks");
}

bool starts_text(std::string_view rest, char previous) {
    return may_precede_text(previous) && !rest.starts_with(std::string(3, rest[0]));
}

} // namespace

bool check_lexically(std::string_view toml, Diagnostics& diagnostics) {
    if (toml.starts_with("\xef\xbb\xbf")) toml.remove_prefix(3);
    // Dots outside text and comments, with nothing but parts of keys in between.
    unsigned dots = 0;
    // The last character that is no blank.
    char previous = '\n';
    for (std::size_t i = 0; i < toml.size();) {
        const char c = toml[i];
        if (c == '"' || c == '\'') {
            if (!starts_text(toml.substr(i), previous)) {
                report_quote(toml.substr(i), position_of(toml, i), previous, diagnostics);
                return false;
            }
            i = skip_text(toml, i);
            previous = toml[i - 1];
            continue;
        }
        if (c == '#') {
            i = std::min(toml.find('\n', i), toml.size());
            continue;
        }
        if (!is_ascii(c)) {
            report_non_ascii(toml.substr(i), position_of(toml, i), diagnostics);
            return false;
        }
        if (c == '.') {
            if (++dots >= max_key_parts) {
                diagnostics.error(position_of(toml, i), fmt::format("a key of more than {} parts", max_key_parts),
                                  "keys here have at most two parts, as in [[tunnel.socks5]]");
                return false;
            }
        } else if (!is_key_character(c) && c != ' ' && c != '\t') {
            dots = 0;
        }
        if (c != ' ' && c != '\t') previous = c;
        ++i;
    }
    return true;
}

} // namespace natctl
