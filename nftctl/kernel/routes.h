// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <utility>
#include <vector>

#include "nftctl/base/error.h"
#include "nftctl/kernel/links.h"
#include "nftctl/kernel/netlink.h"
#include "nftctl/plan/route.h"

namespace natctl {

// Routes that carry our protocol number. Others are never changed: where one stands in the way of ours, adding throws
// EEXIST and says so.

/// The kernel does not take a route.
class RouteRefused : public SystemError {
public:
    RouteRefused(Route route, const SystemError& cause) : SystemError(cause), route_(std::move(route)) {}

    const Route& route() const { return route_; }

private:
    Route route_;
};

/// Sorted. `links`: all there are.
std::vector<Route> read_routes(netlink::Socket& socket, const std::vector<Device>& links);

/// Adds the route, or puts it in the place of ours to the same destination in the same table. Doing it twice is fine.
/// Throws RouteRefused.
void add_route(netlink::Socket& socket, const Route& route);

/// False: it was not there (any more); the kernel drops routes by itself when their interface goes down.
bool remove_route(netlink::Socket& socket, const Route& route);

} // namespace natctl
