// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/http_text.h"

#include <algorithm>

namespace natctl::http {

namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view line_end = "\r\n";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

} // namespace

bool equal_without_case(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

bool is_token_character(char c) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') || others.find(c) != others.npos;
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_character); }

std::string_view trimmed(std::string_view text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::string_view take_line(std::string_view& bytes) {
    const auto line = bytes.substr(0, bytes.find(line_end));
    bytes.remove_prefix(std::min(bytes.size(), line.size() + line_end.size()));
    return line;
}

} // namespace natctl::http
