// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/kernel/links.h"
#include "nftctl/kernel/netlink.h"
#include "nftctl/plan/route.h"

namespace natctl {

// Routes that carry our protocol number. Others are never changed: where one stands in the way of ours, adding throws
// EEXIST and says so.

/// Sorted. `links`: all there are.
std::vector<Route> read_routes(netlink::Socket& socket, const std::vector<Device>& links);

/// Adds the route, or puts it in the place of ours to the same destination in the same table. Doing it twice is fine.
void add_route(netlink::Socket& socket, const Route& route);

/// False: it was not there (any more); the kernel drops routes by itself when their interface goes down.
bool remove_route(netlink::Socket& socket, const Route& route);

} // namespace natctl
