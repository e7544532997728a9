// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "nftctl/base/address.h"

namespace natctl::nft {

/// Bytes that are kept elsewhere. Keys of one set, which have one size, order as numbers.
class BytesView {
public:
    BytesView(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}
    BytesView(const Address& address) : bytes_(address.bytes()) {}

    std::span<const std::uint8_t> span() const { return bytes_; }
    std::size_t size() const { return bytes_.size(); }
    bool empty() const { return bytes_.empty(); }

    std::strong_ordering operator<=>(const BytesView& other) const;
    bool operator==(const BytesView& other) const { return *this <=> other == 0; }

private:
    std::span<const std::uint8_t> bytes_;
};

/// A set key, or the data of a map element, as the kernel has it: network order, parts of a concatenation padded to
/// four bytes. At most an interface name and an IPv6 address.
class Bytes {
public:
    static constexpr unsigned capacity = 32;

    Bytes() = default;
    Bytes(const Address& address) { append(address); }
    /// At most `capacity` bytes.
    explicit Bytes(BytesView bytes) { append(bytes.span()); }
    operator BytesView() const { return span(); }

    /// Appends the value, padded with zeros to a multiple of `alignment`.
    void append(std::span<const std::uint8_t> bytes, unsigned alignment = 1);
    void append(const Address& address) { append(address.bytes()); }
    /// As type ifname: 16 bytes, zero-filled. name.size() < 16.
    void append_interface(const std::string& name);

    std::span<const std::uint8_t> span() const { return {bytes_.data(), size_}; }
    unsigned size() const { return size_; }
    bool empty() const { return size_ == 0; }

    auto operator<=>(const Bytes&) const = default;

private:
    std::array<std::uint8_t, capacity> bytes_{};
    std::uint8_t size_ = 0;
};

/// An element of a set or map, in 24 bytes where its keys and data are IPv4 addresses: there may be half a million.
/// Orders by first, last, data.
class Element {
public:
    /// first.size() == last.size()
    Element(BytesView first, BytesView last, BytesView data = std::span<const std::uint8_t>());
    Element(const Element& other);
    Element(Element&& other) noexcept = default;
    Element& operator=(const Element& other);
    Element& operator=(Element&& other) noexcept = default;
    ~Element() = default;

    /// Single keys: first == last. In interval sets: the first and last key that match, both included; of a
    /// concatenation, the first and last value of each part.
    BytesView first() const { return all().first(key_size_); }
    BytesView last() const { return single_ ? first() : BytesView(all().subspan(key_size_, key_size_)); }
    /// Maps only. Where the data are intervals: the first address followed by the last.
    BytesView data() const { return all().last(data_size_); }
    Element without_data() const { return {first(), last()}; }

    std::strong_ordering operator<=>(const Element& other) const;
    bool operator==(const Element& other) const { return *this <=> other == 0; }

private:
    unsigned size() const { return key_size_ * (single_ ? 1u : 2u) + data_size_; }
    /// The first key, the last one unless it is the same, the data.
    std::span<const std::uint8_t> all() const { return {far_ ? far_.get() : near_.data(), size()}; }

    /// What does not fit in here.
    std::unique_ptr<std::uint8_t[]> far_;
    std::array<std::uint8_t, 13> near_{};
    std::uint8_t key_size_;
    std::uint8_t data_size_;
    bool single_;
};

} // namespace natctl::nft
