// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>

#include "nftctl/site/diagnostic.h"

// toml++ as we use it: no exceptions, compiled once (in toml.cpp). Only the sources that read the tree include this:
// whoever uses this layer never sees it.

#define TOML_HEADER_ONLY 0
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_UNRELEASED_FEATURES 0
// site.toml needs four levels. The parser and the destructor of the tree recurse, and the bound on the parts of a
// dotted key multiplies with this one.
#define TOML_MAX_NESTED_VALUES 16
// Some assertions of toml++ 3.3 do not hold for text that is no TOML ("[." is one), and with NDEBUG clang takes them
// for granted. The parser looks for itself afterwards and reports an error: it needs neither.
#define TOML_ASSERT(condition) static_assert(true)
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace natctl {

/// The tree of any text. On a syntax error it is nullopt and one error is reported: toml++ stops at the first.
std::optional<toml::table> parse_toml(std::string_view text, Diagnostics& diagnostics);

inline Position begin_of(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

} // namespace natctl
