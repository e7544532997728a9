// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace natctl {

/// The first code point of `text` (which is not empty) and its length in bytes. A byte that is no UTF-8 counts as one
/// code point of its own, with `valid` false.
struct CodePoint {
    char32_t value;
    std::uint8_t length;
    bool valid;
};
CodePoint first_code_point(std::string_view text);

/// True for what must not reach a terminal: control characters (C0, DEL, C1), line and paragraph separators, and the
/// invisible signs that reorder text.
bool is_unprintable(char32_t code_point);

/// Unprintable characters as \n, \u001b and the like; bytes that are no UTF-8 as \xff.
std::string escape(std::string_view text);

/// User text for a message: escaped, in quotes, cut after 64 code points.
std::string quote(std::string_view text);

} // namespace natctl
