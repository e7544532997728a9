// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace natctl {

/// Edits (insert, delete, replace, swap neighbours) that turn one word into the other; bytes are letters.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The word that needs the fewest edits. `words` is not empty.
std::string_view nearest(std::string_view word, std::span<const std::string_view> words);

} // namespace natctl
