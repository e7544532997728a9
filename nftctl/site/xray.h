// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>

#include "nftctl/site/site.h"

namespace natctl {

/// Outbounds of our own in Xray's configuration. The others are named after peers, which cannot have these names.
inline constexpr std::string_view xray_direct = "direct";
inline constexpr std::string_view xray_blocked = "blocked";
inline constexpr std::string_view xray_tags[] = {xray_direct, xray_blocked};

/// The link that leads to the local Xray: the first one to a proxy on loopback. nullptr when the peer is not reached by
/// Xray; a peer of a checked Site that has `xray` has one.
const SocksLink* xray_link(const Peer& peer);

} // namespace natctl
