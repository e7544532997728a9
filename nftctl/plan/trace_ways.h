// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "nftctl/plan/table.h"

namespace natctl::nft {

// What the maps of compile_links.h say.

/// The interface by which new flows to a peer's address leave; nullopt: by none, or it is no peer's.
std::optional<std::string> way_to(const Table& table, const Address& address);

/// An interface by which packets from a peer's address may come.
std::optional<std::string> way_from(const Table& table, const Address& address);

} // namespace natctl::nft
