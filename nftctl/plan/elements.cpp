// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/elements.h"

#include "nftctl/base/fingerprint.h"

namespace natctl::nft {

const std::vector<Element>& Elements::none() {
    static const std::vector<Element> none;
    return none;
}

std::vector<Element>& Elements::edit() {
    if (block_.use_count() != 1) block_ = std::make_shared<Block>(Block{all(), {}});
    block_->fingerprint.reset();
    return block_->all;
}

std::array<std::uint8_t, 16> Elements::fingerprint() const {
    if (block_ && block_->fingerprint) return *block_->fingerprint;
    Fingerprint hash;
    for (const auto& element : all())
        for (const auto part : {element.first(), element.last(), element.data()}) hash.add(part.span());
    if (block_) block_->fingerprint = hash.bytes();
    return hash.bytes();
}

} // namespace natctl::nft
