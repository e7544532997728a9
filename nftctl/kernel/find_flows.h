// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <vector>

#include "nftctl/kernel/kernel.h"
#include "nftctl/plan/flow_tally.h"
#include "nftctl/plan/live_flow.h"

namespace natctl {

/// The open flows of a site that are selected, by peer and addresses. Throws SystemError.
std::vector<LiveFlow> find_flows(Kernel& kernel, const LiveFlows& flows, const FlowSelection& selection);

/// All of them in numbers, and the foremost `most`; of the others nothing is kept, however many they are. Throws
/// SystemError.
FlowSummary summarize_flows(Kernel& kernel, const LiveFlows& flows, std::size_t most);

} // namespace natctl
