// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <endian.h>

namespace natctl {

enum class Family : std::uint8_t { ipv4, ipv6 };

/// Number of bits in an address of this family: 32 or 128.
constexpr unsigned address_bits(Family family) { return family == Family::ipv4 ? 32 : 128; }

/// An IPv4 or IPv6 address. Bytes are kept in network order; an IPv4 address uses the first four.
/// Orders by family, then numerically.
class Address {
public:
    /// 0.0.0.0
    Address() = default;

    static Address v4(std::uint32_t host_order);
    /// Takes 4 or 16 bytes in network order, as the family says.
    static Address from_bytes(Family family, std::span<const std::uint8_t> bytes);
    /// The usual text forms of RFC 4291 and dotted quad; no port, no zone, no prefix length.
    static std::optional<Address> parse(std::string_view text);

    Family family() const { return family_; }
    unsigned bits() const { return address_bits(family_); }
    std::span<const std::uint8_t> bytes() const { return {bytes_.data(), bits() / 8}; }
    /// Host order. Only for IPv4.
    std::uint32_t v4_value() const;
    bool bit(unsigned index) const { return (bytes_[index / 8] >> (7 - index % 8) & 1) != 0; }

    /// The next or previous address; nullopt past the end of the family.
    std::optional<Address> next() const;
    std::optional<Address> previous() const;

    bool is_loopback() const;
    /// 0.0.0.0 or ::
    bool is_unspecified() const;
    /// The IPv4 address inside ::ffff:a.b.c.d, or the address itself: filters must see one form only.
    Address unmapped() const;

    std::string text() const;

    bool operator==(const Address&) const = default;
    std::strong_ordering operator<=>(const Address& other) const {
        if (const auto order = family_ <=> other.family_; order != 0) return order;
        if (const auto order = half(0) <=> other.half(0); order != 0) return order;
        return half(8) <=> other.half(8);
    }

private:
    /// Eight bytes as a number. Large tables are sorted over and over: four times faster than byte by byte.
    std::uint64_t half(unsigned offset) const {
        std::uint64_t number = 0;
        std::memcpy(&number, bytes_.data() + offset, sizeof number);
        return be64toh(number);
    }

    Family family_ = Family::ipv4;
    std::array<std::uint8_t, 16> bytes_{};
};

/// Addresses from first to last, both included and of one family, first <= last.
struct AddressRange {
    Address first;
    Address last;

    bool contains(const Address& address) const;
    bool overlaps(const AddressRange& other) const;
    auto operator<=>(const AddressRange&) const = default;
};

/// A network prefix: host bits are always zero.
class Prefix {
public:
    /// 0.0.0.0/0
    Prefix() = default;
    /// Host bits are cleared. length must be at most address.bits().
    Prefix(const Address& address, unsigned length);

    /// "10.1.0.0/16", "fd00::/8", or an address alone, which is a prefix of full length.
    /// Host bits are cleared; compare with the text when that matters.
    static std::optional<Prefix> parse(std::string_view text);

    Family family() const { return network_.family(); }
    const Address& network() const { return network_; }
    unsigned length() const { return length_; }
    bool is_host() const { return length_ == network_.bits(); }

    Address first() const { return network_; }
    Address last() const;
    AddressRange range() const { return {first(), last()}; }
    bool contains(const Address& address) const;
    bool contains(const Prefix& other) const;
    bool overlaps(const Prefix& other) const { return contains(other) || other.contains(*this); }

    /// "10.1.0.0/16"; a host prefix has its length too ("10.1.2.3/32").
    std::string text() const;

    auto operator<=>(const Prefix&) const = default;

private:
    Address network_;
    unsigned length_ = 0;
};

/// The same host part under another prefix of the same length: 192.168.1.20 under 240.2.2.0/24 is 240.2.2.20.
/// The family and length of `from` and `to` must be equal.
Address translate(const Address& address, const Prefix& from, const Prefix& to);

/// The IPv4 address in the last 32 bits under an IPv6 prefix of length 96 (RFC 6052, section 2.2), and back.
Address embed(const Prefix& prefix, const Address& ipv4);
Address embedded_in(const Address& ipv6);

/// An address and a TCP or UDP port.
struct Endpoint {
    Address address;
    std::uint16_t port = 0;

    /// "192.0.2.1:80" or "[2001:db8::1]:80"; port 1 to 65535.
    static std::optional<Endpoint> parse(std::string_view text);
    std::string text() const;
    auto operator<=>(const Endpoint&) const = default;
};

} // namespace natctl
