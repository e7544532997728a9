// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nftctl/site/site.h"

namespace natctl {

/// A file with a secret, as a Site names it.
struct SecretFile {
    /// In the Site.
    std::string* path;
    /// Of the text that names it.
    Position at;
    /// What it holds, for messages: "password" or "id".
    const char* noun = "password";
};

/// All of them.
std::vector<SecretFile> secret_files(Site& site);

/// The path that is to stand in place of the text at a position.
struct PlacedPath {
    Position at;
    std::string path;
};

/// A site.toml with other paths in it, and nothing else changed. The positions are those that a Site gives for strings
/// of this text. Throws SystemError (EILSEQ) when a path is no UTF-8 and so cannot stand in TOML.
std::string with_paths(std::string_view text, std::vector<PlacedPath> paths);

} // namespace natctl
