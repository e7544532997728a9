// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

/// What the lines of an HTTP/1.1 head are made of (RFC 9110, RFC 9112).
namespace natctl::http {

/// Names of fields, schemes and hosts are compared without case (RFC 9110, section 5.1).
bool equal_without_case(std::string_view a, std::string_view b);
/// RFC 9110, section 5.6.2.
bool is_token_character(char c);
bool is_token(std::string_view text);
/// Without the blanks and tabs around it.
std::string_view trimmed(std::string_view text);
/// The line up to CR LF, or up to the end; it and its break are taken off.
std::string_view take_line(std::string_view& bytes);

} // namespace natctl::http
