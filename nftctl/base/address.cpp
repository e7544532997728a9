// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/address.h"

#include <algorithm>
#include <cassert>
#include <charconv>

#include <arpa/inet.h>

#include <fmt/format.h>

namespace natctl {

namespace {

/// A decimal number without sign or leading zero; nullopt when it is anything else or above `limit`.
std::optional<unsigned> parse_number(std::string_view text, unsigned limit) {
    if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value > limit) return std::nullopt;
    return value;
}

} // namespace

Address Address::v4(std::uint32_t host_order) {
    Address address;
    for (unsigned i = 0; i < 4; ++i) address.bytes_[i] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return address;
}

Address Address::from_bytes(Family family, std::span<const std::uint8_t> bytes) {
    Address address;
    address.family_ = family;
    assert(bytes.size() == address.bits() / 8);
    std::ranges::copy(bytes, address.bytes_.begin());
    return address;
}

std::optional<Address> Address::parse(std::string_view text) {
    // inet_pton wants a terminated string; the longest text form is 45 characters.
    std::array<char, INET6_ADDRSTRLEN + 1> buffer{};
    if (text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) return std::nullopt;
    std::ranges::copy(text, buffer.begin());
    Address address;
    address.family_ = text.find(':') == std::string_view::npos ? Family::ipv4 : Family::ipv6;
    const int af = address.family_ == Family::ipv4 ? AF_INET : AF_INET6;
    if (inet_pton(af, buffer.data(), address.bytes_.data()) != 1) return std::nullopt;
    return address;
}

std::uint32_t Address::v4_value() const {
    assert(family_ == Family::ipv4);
    return std::uint32_t{bytes_[0]} << 24 | std::uint32_t{bytes_[1]} << 16 | std::uint32_t{bytes_[2]} << 8 | bytes_[3];
}

std::optional<Address> Address::next() const {
    Address result = *this;
    for (unsigned i = bits() / 8; i-- > 0;)
        if (++result.bytes_[i] != 0) return result;
    return std::nullopt;
}

std::optional<Address> Address::previous() const {
    Address result = *this;
    for (unsigned i = bits() / 8; i-- > 0;)
        if (result.bytes_[i]-- != 0) return result;
    return std::nullopt;
}

bool Address::is_loopback() const {
    static const Address one = *Address::parse("::1");
    const Address address = unmapped();
    return address.family_ == Family::ipv4 ? address.bytes_[0] == 127 : address == one;
}

bool Address::is_unspecified() const {
    return std::ranges::all_of(bytes(), [](std::uint8_t byte) { return byte == 0; });
}

Address Address::unmapped() const {
    static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (family_ == Family::ipv4 || !std::ranges::equal(bytes().first(12), mapped)) return *this;
    return from_bytes(Family::ipv4, bytes().subspan(12));
}

std::string Address::text() const {
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    inet_ntop(family_ == Family::ipv4 ? AF_INET : AF_INET6, bytes_.data(), buffer.data(), buffer.size());
    return buffer.data();
}

bool AddressRange::contains(const Address& address) const {
    return address.family() == first.family() && first <= address && address <= last;
}

bool AddressRange::overlaps(const AddressRange& other) const {
    return first.family() == other.first.family() && first <= other.last && other.first <= last;
}

Prefix::Prefix(const Address& address, unsigned length) : length_(length) {
    assert(length <= address.bits());
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(address.bytes(), bytes.begin());
    for (unsigned bit = length; bit < address.bits(); ++bit)
        bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] & ~(0x80u >> bit % 8));
    network_ = Address::from_bytes(address.family(), std::span(bytes).first(address.bits() / 8));
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = Address::parse(text.substr(0, slash));
    if (!address) return std::nullopt;
    if (slash == std::string_view::npos) return Prefix(*address, address->bits());
    const auto length = parse_number(text.substr(slash + 1), address->bits());
    if (!length) return std::nullopt;
    return Prefix(*address, *length);
}

Address Prefix::last() const {
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(network_.bytes(), bytes.begin());
    for (unsigned bit = length_; bit < network_.bits(); ++bit)
        bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | 0x80u >> bit % 8);
    return Address::from_bytes(family(), std::span(bytes).first(network_.bits() / 8));
}

bool Prefix::contains(const Address& address) const {
    return address.family() == family() && Prefix(address, length_).network_ == network_;
}

bool Prefix::contains(const Prefix& other) const { return other.length_ >= length_ && contains(other.network_); }

std::string Prefix::text() const { return network_.text() + "/" + std::to_string(length_); }

Address translate(const Address& address, const Prefix& from, const Prefix& to) {
    assert(from.family() == to.family() && from.length() == to.length() && from.contains(address));
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(to.network().bytes(), bytes.begin());
    for (unsigned bit = from.length(); bit < address.bits(); ++bit)
        if (address.bit(bit)) bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | 0x80u >> bit % 8);
    return Address::from_bytes(address.family(), std::span(bytes).first(address.bits() / 8));
}

Address embed(const Prefix& prefix, const Address& ipv4) {
    assert(prefix.family() == Family::ipv6 && prefix.length() == 96 && ipv4.family() == Family::ipv4);
    std::array<std::uint8_t, 16> bytes{};
    std::ranges::copy(prefix.network().bytes(), bytes.begin());
    std::ranges::copy(ipv4.bytes(), bytes.begin() + 12);
    return Address::from_bytes(Family::ipv6, bytes);
}

Address embedded_in(const Address& ipv6) {
    assert(ipv6.family() == Family::ipv6);
    return Address::from_bytes(Family::ipv4, ipv6.bytes().last(4));
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    auto host = text.substr(0, colon);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    const auto address = Address::parse(host);
    const auto port = parse_number(text.substr(colon + 1), 65535);
    if (!address || !port || *port == 0 || bracketed != (address->family() == Family::ipv6)) return std::nullopt;
    return Endpoint{*address, static_cast<std::uint16_t>(*port)};
}

std::string Endpoint::text() const {
    return address.family() == Family::ipv6 ? fmt::format("[{}]:{}", address.text(), port)
                                            : fmt::format("{}:{}", address.text(), port);
}

} // namespace natctl
