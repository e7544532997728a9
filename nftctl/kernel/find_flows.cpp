// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/find_flows.h"

#include <algorithm>
#include <mutex>
#include <tuple>

namespace natctl {

std::vector<LiveFlow> find_flows(Kernel& kernel, const LiveFlows& flows, const FlowSelection& selection) {
    const auto filters = flows.filters();
    const auto connections = kernel.find_connections(filters, [&](const Connection& connection) {
        const auto flow = flows.read(connection);
        return flow && selection.matches(*flow);
    });
    std::vector<LiveFlow> found;
    for (const auto& connection : connections) found.push_back(*flows.read(connection));
    const auto place = [](const LiveFlow& flow) {
        return std::tie(flow.peer, flow.real, flow.far, flow.connection.protocol, flow.connection.original,
                        flow.connection.zone);
    };
    std::ranges::sort(found, [&](const LiveFlow& a, const LiveFlow& b) { return place(a) < place(b); });
    // While others come and go, a dump may show one twice.
    const auto same = [](const LiveFlow& a, const LiveFlow& b) { return a.connection.id == b.connection.id; };
    found.erase(std::unique(found.begin(), found.end(), same), found.end());
    return found;
}

FlowSummary summarize_flows(Kernel& kernel, const LiveFlows& flows, std::size_t most) {
    FlowTally tally(most);
    std::mutex mutex;
    const auto filters = flows.filters();
    kernel.find_connections(filters, [&](const Connection& connection) {
        if (const auto flow = flows.read(connection)) {
            const std::lock_guard lock(mutex);
            tally.add(*flow);
        }
        return false;
    });
    return tally.take();
}

} // namespace natctl
