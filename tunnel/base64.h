// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace natctl {

/// RFC 4648, section 4, padded. nullopt: it is something else.
std::optional<std::string> decode_base64(std::string_view text);

} // namespace natctl
