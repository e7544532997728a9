// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "nftctl/doctor/firewall.h"
#include "nftctl/plan/facts.h"
#include "nftctl/site/site.h"

namespace natctl::doctor {

/// A packet that has to get through at a hook, and how nft and iptables say so.
struct Flow {
    /// For people: "lan0 to ov0 (240.2.2.0/24 of peer b)".
    std::string words;
    nft::HookPoint hook;
    firewall::Packet packet;
    /// The selectors of a rule that accepts it.
    std::string nft;
    std::string iptables;
};

/// Of natctl's own chain of source NAT.
inline constexpr int own_source_priority = 90;

/// The packets of the site's flows at every hook, as other tables' filters see them.
std::vector<Flow> filtered_flows(const Site& site, const Facts& facts);

/// Packets whose addresses only natctl may translate, at the hooks of NAT. `priority`: chains up to this one come
/// before natctl's.
struct TranslatedFlow {
    Flow flow;
    int priority;
};
std::vector<TranslatedFlow> translated_flows(const Site& site, const Facts& facts);

} // namespace natctl::doctor
