// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include <linux/netlink.h>

#include "nftctl/kernel/netlink.h"
#include "nftctl/plan/connection.h"

namespace natctl {

/// The entry in a message of a dump or event; nullopt: it is of a family that is not IP.
std::optional<Connection> parse_connection(const nlmsghdr& message);

/// Adds what the kernel has to know to delete exactly this entry to a message that has a header only.
void put_identity(nlmsghdr& message, const Connection& connection);

/// Adds the filter to the request for a dump that has a header only. The kernel sends more than it says: before
/// Linux 6.0 it knows no status, before 5.8 no addresses, and of IPv6 it is not asked for addresses, as it compares
/// them wrongly. Addresses without a family it refuses (EOPNOTSUPP).
void put_filter(nlmsghdr& message, const ConnectionFilter& filter);

/// Of type IPCTNL_MSG_CT_*.
std::uint16_t conntrack_message(int type);

} // namespace natctl
