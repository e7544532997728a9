// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "nftctl/plan/trace.h"
#include "nftctl/plan/trace_packet.h"
#include "nftctl/site/site.h"

namespace natctl::nft {

/// "peer b", or the address itself where no peer of the site has it.
std::string called(const Surroundings& surroundings, const Address& address);

/// The peer whose virtual prefixes hold the address; nullptr: none.
const Peer* peer_of(const Site& site, const Address& address);

/// Why a packet ends at this rule of ours, and the way out where there is one. `deaf`: the tunnel's transparent
/// listener that nobody listens at.
std::string why(const Plan& plan, const Surroundings& surroundings, const Packet& packet, const std::string& chain,
                const Rule& rule, const std::optional<Endpoint>& deaf);

/// The same where one of our unreachable routes ends it.
std::string why_unreachable(const Plan& plan, const Surroundings& surroundings, const Packet& packet);

/// Why a flow that was to go to the tunnel's listener does not, and the way out.
std::string no_tunnel_listens(const Endpoint& listener);

/// What the sender is told.
const char* sender_sees(RejectKind kind);

/// What the tunnel does with a flow to this destination, as site.toml says: "it connects through the proxy ADDRESS:PORT
/// of peer b". Empty where the site says nothing of it.
std::string after_the_tunnel(const Surroundings& surroundings, const Address& destination, Protocol protocol);

/// "192.168.1.20 to 240.2.2.20, TCP port 80"
std::string described(const Packet& packet);

} // namespace natctl::nft
