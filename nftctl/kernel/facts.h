// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/kernel/links.h"
#include "nftctl/plan/facts.h"

namespace natctl {

/// Interfaces and their addresses in the kernel's order, so that the first address of a family is the primary one.
/// IPv6 addresses that are link-local or not yet proven unique are left out: no route may name them as source.
/// `links`: all there are.
std::vector<Interface> read_interfaces(netlink::Socket& socket, const std::vector<Device>& links);

} // namespace natctl
