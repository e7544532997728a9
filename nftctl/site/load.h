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

/// What was found in a file that site.toml names.
struct FileFindings {
    std::string path;
    /// Sorted by position; never empty.
    std::vector<Diagnostic> diagnostics;
    std::string source;
};

struct LoadResult {
    /// Only when there is no error.
    std::optional<Site> site;
    /// Sorted by position.
    std::vector<Diagnostic> diagnostics;
    /// The text of the file, for render().
    std::string source;
    /// Of maps files, those alone in which something was found.
    std::vector<FileFindings> maps_files;

    /// Leaves out what is less severe.
    void keep(Severity least);
};

/// As render() and flatten() of the findings in site.toml, `path`, and after them those in maps files.
std::string render(const LoadResult& result, const std::string& path);
std::vector<FlatDiagnostic> flatten(const LoadResult& result, const std::string& path);

/// Reads and parses a site.toml and its maps files, and checks the password files it names: they exist, are regular
/// files and nobody else may read them. Relative paths are relative to the folder of site.toml; in the Site they are
/// absolute. Throws SystemError when the file cannot be read; EFBIG when it is larger than max_site_size.
LoadResult load_site(const std::string& path);

} // namespace natctl
