// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <vector>

#include "nftctl/plan/element.h"

namespace natctl::nft {

/// The elements of a set. Copies share them until one of the copies is edited: what a plan has in common with the next
/// one is made, kept, compared and fingerprinted once, however much it is.
class Elements {
public:
    Elements() = default;
    Elements(std::vector<Element> all) : block_(std::make_shared<Block>(Block{std::move(all), {}})) {}
    Elements(std::initializer_list<Element> all) : Elements(std::vector(all)) {}

    const std::vector<Element>& all() const { return block_ ? block_->all : none(); }
    auto begin() const { return all().begin(); }
    auto end() const { return all().end(); }
    std::size_t size() const { return all().size(); }
    bool empty() const { return all().empty(); }
    const Element& front() const { return all().front(); }
    const Element& operator[](std::size_t place) const { return all()[place]; }

    /// To be changed at once; copies that were taken before keep what they have.
    std::vector<Element>& edit();

    /// Of a Fingerprint over all of them, in their order.
    std::array<std::uint8_t, 16> fingerprint() const;

    bool operator==(const Elements& other) const { return shares(other) || all() == other.all(); }
    /// They are equal, and nothing was compared.
    bool shares(const Elements& other) const { return block_ == other.block_; }

private:
    struct Block {
        std::vector<Element> all;
        std::optional<std::array<std::uint8_t, 16>> fingerprint;
    };
    static const std::vector<Element>& none();

    std::shared_ptr<Block> block_;
};

} // namespace natctl::nft
