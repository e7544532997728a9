// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "nftctl/plan/element.h"
#include "nftctl/plan/shared_list.h"

namespace natctl::nft {

/// The elements of a set.
class Elements : public SharedList<Element, std::optional<std::array<std::uint8_t, 16>>> {
public:
    using SharedList::SharedList;

    /// Of a Fingerprint over all of them, in their order; it is made once.
    std::array<std::uint8_t, 16> fingerprint() const;
};

} // namespace natctl::nft
