// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "nftctl/base/address.h"
#include "nftctl/site/site.h"

namespace natctl {

// What people write for an address. Only a site's own names are known: each router has its own roster.

/// The site, for verbs that can do without: nullopt, and nothing is printed, where the file is absent or has mistakes.
std::optional<Site> site_for_names(const std::string& config);

/// The site, or nullopt after its mistakes have been printed. Its warnings are left to the verbs that make use of it.
std::optional<Site> read_site_quietly(const std::string& config);

/// The address, or the virtual address of the host of that name. Throws std::invalid_argument, with the way out, where
/// it is neither. `site` may be nullptr.
Address destination_of(const Site* site, const std::string& text);

/// The same for a sender: of a name, the real address.
Address source_of(const Site* site, const std::string& text);

} // namespace natctl
