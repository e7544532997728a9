// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/element.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace natctl::nft {

std::strong_ordering BytesView::operator<=>(const BytesView& other) const {
    const auto common = std::min(size(), other.size());
    const int order = common == 0 ? 0 : std::memcmp(bytes_.data(), other.bytes_.data(), common);
    return order != 0 ? order <=> 0 : size() <=> other.size();
}

void Bytes::append(std::span<const std::uint8_t> bytes, unsigned alignment) {
    const std::size_t padded = (bytes.size() + alignment - 1) / alignment * alignment;
    assert(size_ + padded <= capacity);
    std::ranges::copy(bytes, bytes_.begin() + size_);
    size_ = static_cast<std::uint8_t>(size_ + padded);
}

void Bytes::append_interface(const std::string& name) {
    std::array<std::uint8_t, 16> bytes{};
    assert(name.size() < bytes.size());
    std::ranges::copy(name, bytes.begin());
    append(bytes);
}

Element::Element(BytesView first, BytesView last, BytesView data)
    : key_size_(static_cast<std::uint8_t>(first.size())),
      data_size_(static_cast<std::uint8_t>(data.size())),
      single_(first == last) {
    assert(first.size() == last.size());
    if (size() > near_.size()) far_ = std::make_unique<std::uint8_t[]>(size());
    auto* next = std::ranges::copy(first.span(), far_ ? far_.get() : near_.data()).out;
    if (!single_) next = std::ranges::copy(last.span(), next).out;
    std::ranges::copy(data.span(), next);
}

Element::Element(const Element& other)
    : near_(other.near_),
      key_size_(other.key_size_),
      data_size_(other.data_size_),
      single_(other.single_) {
    if (!other.far_) return;
    far_ = std::make_unique<std::uint8_t[]>(size());
    std::ranges::copy(other.all(), far_.get());
}

Element& Element::operator=(const Element& other) {
    if (this != &other) *this = Element(other);
    return *this;
}

std::strong_ordering Element::operator<=>(const Element& other) const {
    if (const auto order = first() <=> other.first(); order != 0) return order;
    if (const auto order = last() <=> other.last(); order != 0) return order;
    return data() <=> other.data();
}

} // namespace natctl::nft
