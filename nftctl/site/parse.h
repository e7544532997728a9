// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/site.h"

namespace natctl {

struct ParseResult {
    /// Only when there is no error.
    std::optional<Site> site;
    /// Sorted by position.
    std::vector<Diagnostic> diagnostics;
};

/// From the text of a site.toml to a checked Site. Any text will do; nothing but the text is looked at. As many
/// mistakes as can be told apart are reported, but only the first one of the TOML syntax.
ParseResult parse_site(std::string_view text);

} // namespace natctl
