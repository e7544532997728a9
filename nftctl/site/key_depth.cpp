// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/key_depth.h"

#include <algorithm>
#include <cstddef>

#include "nftctl/site/quote.h"

namespace natctl {

namespace {

bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/// The index after the string that starts at `start`, or after the line or text when it does not end.
std::size_t skip_string(std::string_view text, std::size_t start) {
    const char quote = text[start];
    const std::string_view triple = quote == '"' ? R"(""")" : "'''";
    const bool multi_line = text.substr(start).starts_with(triple);
    std::size_t i = start + (multi_line ? 3 : 1);
    for (; i < text.size(); ++i) {
        if (quote == '"' && text[i] == '\\') {
            ++i;
        } else if (multi_line) {
            if (!text.substr(i).starts_with(triple)) continue;
            i += 3;
            // Up to two quotation marks may stand before the closing three.
            for (int extra = 0; extra < 2 && i < text.size() && text[i] == quote; ++extra) ++i;
            return i;
        } else if (text[i] == quote || text[i] == '\n') {
            return i + 1;
        }
    }
    return text.size();
}

Position position_of(std::string_view text, std::size_t offset) {
    const auto before = text.substr(0, offset);
    Position at{1 + static_cast<unsigned>(std::ranges::count(before, '\n')), 1};
    auto line = before.substr(before.rfind('\n') + 1);
    for (; !line.empty(); ++at.column) line.remove_prefix(first_code_point(line).length);
    return at;
}

} // namespace

std::optional<Position> find_deep_key(std::string_view text) {
    // Dots outside strings and comments, with nothing but parts of keys in between.
    unsigned dots = 0;
    for (std::size_t i = 0; i < text.size();) {
        const char c = text[i];
        if (c == '"' || c == '\'') {
            i = skip_string(text, i);
            continue;
        }
        if (c == '.') {
            if (++dots >= max_key_parts) return position_of(text, i);
        } else if (c == '#') {
            i = std::min(text.find('\n', i), text.size());
            dots = 0;
            continue;
        } else if (!is_key_character(c) && c != ' ' && c != '\t') {
            dots = 0;
        }
        ++i;
    }
    return std::nullopt;
}

} // namespace natctl
