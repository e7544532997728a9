// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <string>

#include "nftctl/site/diagnostic.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Bytes a maps file may have.
inline constexpr std::size_t max_maps_size = std::size_t{64} << 20;

/// Reads the maps files of the site, whose names start at the folder of `site_path`, and appends what is sound to its
/// maps. Mistakes go to `files`: at 0 those in site.toml, such as files that cannot be read, then one for each file.
void load_maps(Site& site, const std::string& site_path, std::span<Diagnostics> files);

} // namespace natctl
