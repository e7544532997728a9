// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace_packet.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "nftctl/plan/lookup.h"

namespace natctl::nft {

namespace {

/// Appends a value as the kernel has it in a register: numbers of two bytes are ports, in network order; those of four
/// are marks, in the machine's.
bool append(Bytes& bytes, const FieldValue& value, Datatype type, unsigned alignment) {
    const unsigned size = datatype_size(type);
    if (const auto* name = std::get_if<std::string>(&value)) {
        if (type != Datatype::ifname || name->size() >= size) return false;
        bytes.append_interface(*name);
        return true;
    }
    if (const auto* address = std::get_if<Address>(&value)) {
        if (address->bytes().size() != size) return false;
        bytes.append(address->bytes(), alignment);
        return true;
    }
    const auto* number = std::get_if<std::uint32_t>(&value);
    if (!number || size > 4) return false;
    std::array<std::uint8_t, 4> raw{};
    if (size == 4)
        std::memcpy(raw.data(), number, size);
    else
        for (unsigned i = 0; i < size; ++i) raw[i] = static_cast<std::uint8_t>(*number >> 8 * (size - 1 - i));
    bytes.append(std::span(raw).first(size), alignment);
    return true;
}

/// Of a concatenation, each part by itself lies between first and last.
bool within(const Element& element, BytesView key, const std::vector<Datatype>& parts) {
    unsigned offset = 0;
    for (const auto part : parts) {
        const unsigned size = (datatype_size(part) + 3) / 4 * 4;
        if (offset + size > key.size() || key.size() > element.first().size() || key.size() > element.last().size())
            return false;
        const auto piece = [&](BytesView bytes) { return bytes.span().subspan(offset, size); };
        const auto value = piece(key);
        if (std::ranges::lexicographical_compare(value, piece(element.first())) ||
            std::ranges::lexicographical_compare(piece(element.last()), value))
            return false;
        offset += size;
    }
    return true;
}

} // namespace

std::uint32_t Packet::protocol_number() const {
    switch (protocol) {
    case Protocol::tcp: return protocol_tcp;
    case Protocol::udp: return protocol_udp;
    case Protocol::icmp: return family() == Family::ipv4 ? protocol_icmp : protocol_icmpv6;
    }
    return 0;
}

FieldValue packet_field(Field field, const Packet& packet, const Connection& connection) {
    constexpr std::uint32_t syn = 2;
    constexpr std::uint32_t ack = 16;
    // RFC 4443
    constexpr std::uint32_t echo_request = 128;
    constexpr std::uint32_t echo_reply = 129;
    constexpr std::uint32_t root = 0;
    const auto of = [](Family family, const Address& address) -> FieldValue {
        if (address.family() != family) return {};
        return address;
    };
    switch (field) {
    case Field::iifname: return packet.in;
    case Field::oifname: return packet.out;
    case Field::ip_saddr: return of(Family::ipv4, packet.source);
    case Field::ip_daddr: return of(Family::ipv4, packet.destination);
    case Field::ip6_saddr: return of(Family::ipv6, packet.source);
    case Field::ip6_daddr: return of(Family::ipv6, packet.destination);
    case Field::nfproto: return packet.family() == Family::ipv4 ? nfproto_ipv4 : nfproto_ipv6;
    case Field::l4proto: return packet.protocol_number();
    case Field::mark: return packet.mark;
    case Field::ct_mark: return connection.mark;
    case Field::ct_state: return packet.reply ? connection_established : connection_new;
    case Field::ct_status: return connection.status();
    case Field::ct_direction: return packet.reply ? direction_reply : direction_original;
    case Field::ct_original_ip_saddr: return of(Family::ipv4, connection.source);
    case Field::ct_original_ip_daddr: return of(Family::ipv4, connection.destination);
    case Field::ct_original_ip6_saddr: return of(Family::ipv6, connection.source);
    case Field::ct_original_ip6_daddr: return of(Family::ipv6, connection.destination);
    case Field::tcp_flags:
        if (packet.protocol != Protocol::tcp) return {};
        return packet.reply ? syn | ack : syn;
    case Field::th_dport:
        if (packet.protocol == Protocol::icmp) return {};
        return std::uint32_t{packet.port};
    case Field::icmpv6_type:
        if (packet.protocol != Protocol::icmp || packet.family() != Family::ipv6) return {};
        return packet.reply ? echo_reply : echo_request;
    case Field::skuid:
        if (!packet.in.empty()) return {};
        return root;
    case Field::fib_daddr_oif:
    case Field::fib_daddr_oif_present:
    case Field::fib_daddr_type:
    case Field::fib_saddr_type:
    case Field::socket_transparent:
    case Field::socket_wildcard: return {};
    }
    return {};
}

const Element* find_element(const Set& set, const std::vector<FieldValue>& key) {
    const auto& parts = set.spec.key;
    if (parts.size() != key.size()) return nullptr;
    Bytes bytes;
    for (std::size_t i = 0; i < parts.size(); ++i)
        if (!append(bytes, key[i], parts[i], parts.size() > 1 ? 4 : 1)) return nullptr;
    if (parts.size() > 1) {
        const auto found =
            std::ranges::find_if(set.elements, [&](const Element& element) { return within(element, bytes, parts); });
        return found == set.elements.end() ? nullptr : &*found;
    }
    return natctl::find_element(&set, bytes);
}

std::optional<Address> mapped(const Set& map, const Address& address, bool prefix) {
    const auto* element = find_element(map, {address});
    const std::size_t size = address.bytes().size();
    if (!element || element->data().size() != (prefix ? 2 * size : size)) return std::nullopt;
    if (prefix) return netmap(address, element->data());
    return Address::from_bytes(address.family(), element->data().span());
}

} // namespace natctl::nft
