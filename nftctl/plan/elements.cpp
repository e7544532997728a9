// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/elements.h"

#include "nftctl/base/fingerprint.h"

namespace natctl::nft {

std::array<std::uint8_t, 16> Elements::fingerprint() const {
    auto* const made = known();
    if (made && *made) return **made;
    Fingerprint hash;
    for (const auto& element : all())
        for (const auto part : {element.first(), element.last(), element.data()}) hash.add(part.span());
    if (made) *made = hash.bytes();
    return hash.bytes();
}

} // namespace natctl::nft
