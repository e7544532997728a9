// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/base/address.h"

namespace natctl {

/// Never reached through a prefix that merely covers it: this host, link-local (metadata services among them),
/// multicast and broadcast, and IPv6 forms that carry an IPv4 address.
bool is_special(const Address& address);
/// The whole prefix is so.
bool is_special(const Prefix& prefix);

} // namespace natctl
