// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/base/address.h"

namespace natctl {

/// Whether an address lies in any of many prefixes, in logarithmic time.
class AddressSet {
public:
    AddressSet() = default;
    explicit AddressSet(const std::vector<Prefix>& prefixes);

    bool contains(const Address& address) const;
    bool empty() const { return ranges_.empty(); }

private:
    /// Disjoint and ascending.
    std::vector<AddressRange> ranges_;
};

} // namespace natctl
