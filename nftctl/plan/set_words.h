// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "nftctl/plan/table.h"

namespace natctl::nft::words {

// Sets as the compiler writes them.

Datatype address_type(Family family);
/// "own" becomes "own4" or "own6".
std::string with_family(const std::string& name, Family family);

Set interface_set(const std::string& name, const std::vector<std::string>& interfaces);
Set protocol_set(const std::string& name, bool tcp, bool udp);
/// Named with_family(). Overlapping ranges are joined.
Set range_set(const std::string& name, Family family, std::vector<AddressRange> ranges);
Set range_set_named(const std::string& name, Family family, std::vector<AddressRange> ranges);

/// Those of one family, joined.
std::vector<AddressRange> ranges_of(const std::vector<Prefix>& prefixes, Family family);
Prefix all_addresses(Family family);

} // namespace natctl::nft::words
