// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "nftctl/plan/kernel_numbers.h"
#include "nftctl/plan/table.h"
#include "nftctl/plan/trace.h"

namespace natctl::nft {

/// A conntrack entry, as far as rules ask for it.
struct Connection {
    Address source;
    Address destination;
    /// What NAT makes of them in the original direction.
    Address new_source;
    Address new_destination;
    /// By REDIRECT alone.
    std::optional<std::uint16_t> new_port = {};
    std::uint32_t mark = 0;

    std::uint32_t status() const {
        return (new_source != source ? connection_snat : 0) |
               (new_destination != destination || new_port ? connection_dnat : 0);
    }
};

struct Packet {
    Address source;
    Address destination;
    Protocol protocol;
    std::uint16_t port = 0;
    std::string in = {};
    std::string out = {};
    std::uint32_t mark = 0;
    /// Of the connection's two directions, the answer's.
    bool reply = false;

    Family family() const { return destination.family(); }
    /// IANA's number.
    std::uint32_t protocol_number() const;
};

/// What a field of a rule is for a packet. monostate: the packet has none, and no rule that asks for it matches.
using FieldValue = std::variant<std::monostate, std::uint32_t, std::string, Address>;

/// Everything but the fields that ask for routes and sockets; of these, monostate. What this machine sends, root sends.
FieldValue packet_field(Field field, const Packet& packet, const Connection& connection);

/// The element of the set that the key falls in; nullptr: none. `key` has one value for each part, none monostate.
const Element* find_element(const Set& set, const std::vector<FieldValue>& key);

/// The target of a map's element for this address; `prefix`: the data are a range whose host bits the address keeps.
std::optional<Address> mapped(const Set& map, const Address& address, bool prefix);

} // namespace natctl::nft
