// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "nftctl/plan/trace.h"

namespace natctl {

/// Where this machine's kernel would send a packet of its own to the address now, by all policy rules and tables
/// (RTM_GETROUTE). nullopt: nowhere. Of the network namespace of the calling thread.
std::optional<Hop> look_up_route(const Address& destination);

/// Whether a TCP or UDP socket of this network namespace takes what is sent to the address and port: listens or is
/// bound there, or at all addresses (/proc/net/tcp, /proc/net/udp). False also where that cannot be read.
bool listens(const Endpoint& at, Protocol protocol);

/// Where the policy rules of others lead an address that natctl's own routes are for, in words with the way out;
/// nullopt: nowhere else. Of what this machine sends.
std::optional<std::string> overruled(const Plan& plan, const Facts& facts, const Address& destination);

} // namespace natctl
