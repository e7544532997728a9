// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <vector>

#include "nftctl/kernel/kernel.h"
#include "nftctl/plan/live_flow.h"

namespace natctl {

/// The open flows of a site that are selected, by peer and addresses. Throws SystemError.
std::vector<LiveFlow> find_flows(Kernel& kernel, const LiveFlows& flows, const FlowSelection& selection);

} // namespace natctl
