// SPDX-License-Identifier: GPL-3.0-or-later
// Everything that may arrive at a UDP port of ours, from a client or from a proxy's relay.
#include <algorithm>

#include "socks5_stream.h"

using namespace natctl;
using namespace natctl::socks5;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const View bytes(data, size);
    const auto header = parse_datagram(bytes);
    if (!header) return 0;
    require(header->size >= 4 && header->size <= size);
    // A header cut short is none.
    for (std::size_t shorter = 0; shorter < header->size; ++shorter) require(!parse_datagram(bytes.first(shorter)));
    const Destination& destination = header->destination;
    for (const char c : destination.text()) require(c > ' ' && c < 0x7f);
    if (destination.name() && destination.name()->empty()) return 0;

    const DatagramPrefix again(destination);
    require(again.bytes().size() == header->size);
    require(std::ranges::equal(again.bytes().subspan(3), bytes.subspan(3, header->size - 3)));
    const auto parsed = parse_datagram(again.bytes());
    require(parsed && parsed->destination == destination && parsed->fragment == 0);

    const Endpoint server{Address::v4(0xc6336401), 1080};
    if (const auto relay = relay_endpoint(destination, server)) {
        require(relay->port == destination.port && relay->port != 0);
        require(!relay->address.is_unspecified() && !relay->address.is_loopback());
    } else {
        require(destination.port == 0);
    }
    return 0;
}
