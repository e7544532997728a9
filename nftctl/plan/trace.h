// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/plan/facts.h"
#include "nftctl/plan/plan.h"

namespace natctl {

struct Site;

enum class Protocol : std::uint8_t { icmp, tcp, udp };

/// "ICMP", "TCP", "UDP"
const char* name_of(Protocol protocol);

/// A flow as its first packet shows it to this router; both addresses are of one family. ICMP is an echo request.
struct Flow {
    /// Absent: the one that the route gives; only of what this machine sends.
    std::optional<Address> source;
    Address destination;
    Protocol protocol = Protocol::tcp;
    /// Of the destination; 0: none told.
    std::uint16_t port = 0;
    /// The interface by which it arrives; empty: this machine sends it.
    std::string in = {};
};

/// Where a route leads.
struct Hop {
    RouteType type = RouteType::unicast;
    std::string dev = {};
    std::optional<Address> via = {};
    /// The source it gives to what this machine sends.
    std::optional<Address> source = {};
    bool operator==(const Hop&) const = default;
};

/// What lies around the plan on its machine.
struct Surroundings {
    Facts facts;
    /// Where the routing tables of others lead; natctl's own are the plan's. nullopt: nowhere.
    std::function<std::optional<Hop>(const Address& destination)> other_route;
    /// Whether a socket takes TCP or UDP there.
    std::function<bool(const Endpoint& at, Protocol protocol)> listens;
    /// For names and links in the text; may be nullptr.
    const Site* site = nullptr;
};

enum class Fate : std::uint8_t {
    /// Leaves by an interface.
    forwarded,
    /// Is for this machine.
    delivered,
    /// A transparent socket of the tunnel takes it.
    tunnel,
    /// The sender is told at once.
    refused,
    dropped,
};

/// "forwarded", ...
const char* name_of(Fate fate);

struct Step {
    /// One line for people, without a full stop.
    std::string text;
    /// The rules that led here, each as "CHAIN: NFT TEXT".
    std::vector<std::string> rules;
};

struct Trace {
    std::vector<Step> steps;
    /// What becomes of the answer; empty where nothing passes or where nothing is translated.
    std::vector<Step> answer;
    Fate fate = Fate::dropped;
    // The packet as it leaves or is delivered.
    Address source;
    Address destination;
    /// Of a forwarded packet, and of what this machine sends.
    std::string out;
    /// Whom the answer seems to come from, and to whom it goes; as the asking side sees it.
    std::optional<Address> answer_source;
    std::optional<Address> answer_destination;
    /// Why it was refused or dropped; else empty.
    std::string reason;
    /// The sender sees "TCP reset", "ICMP no route" ...; only of what was refused.
    std::string sender_sees;
    /// What trace does not know and therefore passed over, so that the rest may be wrong.
    std::vector<std::string> doubts;

    bool passes() const { return fate == Fate::forwarded || fate == Fate::delivered || fate == Fate::tunnel; }
};

/// Follows the first packet of the flow, and its answer, through what the plan holds: prerouting, routing, forward,
/// postrouting, or output first for what this machine sends. Other programs' rules are not looked at.
Trace trace(const Plan& plan, const Surroundings& surroundings, const Flow& flow);

/// As what packets of this sender arrive: of one of our own virtual names its host's real address, any other address as
/// it is. nullopt: nobody has that name.
std::optional<Address> sent_as(const Plan& plan, const Address& sender);

/// The interface by which packets from this source arrive: its peer's link, else the way back to it. nullopt: by none,
/// as a proxy link or this machine itself.
std::optional<std::string> arrival(const Plan& plan, const Surroundings& surroundings, const Address& source);

/// Where the plan's routes and then those of others lead. `in` is "lo" for what this machine sends.
std::optional<Hop> find_route(const Plan& plan, const Surroundings& surroundings, const Address& destination,
                              const std::string& in, std::uint32_t mark);

/// Loopback, or an address of one of its interfaces.
bool is_own_address(const Facts& facts, const Address& address);

/// The address that the machine itself uses on an interface towards `destination`. nullopt: it has none there.
std::optional<Address> address_on(const Facts& facts, const std::string& interface, const Address& destination);

/// other_route for a machine with nothing but the networks that its interfaces are in.
std::optional<Hop> connected_route(const Facts& facts, const Address& destination);

} // namespace natctl
