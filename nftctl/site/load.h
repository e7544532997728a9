// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Bytes a site.toml may have: room for more than 262,144 host maps.
inline constexpr std::size_t max_site_size = std::size_t{64} << 20;

struct LoadResult {
    /// Only when there is no error.
    std::optional<Site> site;
    /// Sorted by position.
    std::vector<Diagnostic> diagnostics;
    /// The text of the file, for render().
    std::string source;
};

/// Reads and parses a site.toml and checks the password files it names: they exist, are regular files and nobody else
/// may read them. Relative paths are relative to the folder of site.toml; in the Site they are absolute.
/// Throws SystemError when the file cannot be read; EFBIG when it is larger than max_site_size.
LoadResult load_site(const std::string& path);

} // namespace natctl
