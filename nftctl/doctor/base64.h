// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace natctl::doctor {

/// RFC 4648, section 4, as wg(8) prints keys.
std::string base64(std::span<const std::uint8_t> bytes);

/// An even number of hexadecimal digits; nullopt: something else.
std::optional<std::vector<std::uint8_t>> from_hex(std::string_view text);

} // namespace natctl::doctor
