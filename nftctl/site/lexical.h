// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

#include "nftctl/site/diagnostic.h"

namespace natctl {

/// Refuses what toml++ 3.3 does not survive and no site.toml needs; false after one error has been reported.
/// - Keys of more than 16 parts (a.b.c): each part becomes a nested table, without any bound, and the destructor of a
///   million nested tables overflows the stack.
/// - Characters beyond ASCII outside text and comments, which TOML does not allow either: the parser asks whether they
///   are blanks, and for many of them that is undefined behaviour (is_non_ascii_horizontal_whitespace()).
/// - Text of several lines ("""): the same question is asked within it. Quotation marks in the middle of a value are
///   refused here too, since they are no beginning of text for the parser.
bool check_lexically(std::string_view toml, Diagnostics& diagnostics);

} // namespace natctl
