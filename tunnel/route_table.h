// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Destination -> peer: the longest virtual prefix that covers the address wins.
class RouteTable {
public:
    RouteTable() = default;
    explicit RouteTable(const std::vector<Peer>& peers);

    /// Index into the peers; nullopt when the address is no peer's.
    std::optional<std::size_t> find(const Address& address) const;

private:
    std::map<Prefix, std::size_t> peers_;
    /// Family and length of the prefixes, longest first.
    std::vector<std::pair<Family, unsigned>> lengths_;
};

} // namespace natctl
