// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nftctl/plan/element.h"
#include "nftctl/plan/rule.h"

namespace natctl::nft {

/// A verdict as the data of a map's element: its kind in one byte, then the chain's name, at most 254 bytes. (The
/// kernel has a pointer there, netlink nested attributes.)
std::vector<std::uint8_t> verdict_data(const Verdict& verdict);

/// nullopt: no verdict.
std::optional<Verdict> verdict_of(BytesView data);

} // namespace natctl::nft
