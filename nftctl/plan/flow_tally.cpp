// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/flow_tally.h"

#include <algorithm>
#include <set>
#include <utility>

namespace natctl {

namespace {

/// 0 where they are not kept.
std::uint64_t bytes_of(const Connection& connection) {
    std::uint64_t bytes = 0;
    for (const auto& traffic : {connection.sent, connection.received})
        if (traffic) bytes += traffic->bytes;
    return bytes;
}

bool comes_before(const LiveFlow& a, const LiveFlow& b) {
    const auto a_bytes = bytes_of(a.connection);
    const auto b_bytes = bytes_of(b.connection);
    if (a_bytes != b_bytes) return a_bytes > b_bytes;
    if (a.connection.began != b.connection.began) return a.connection.began > b.connection.began;
    return a.connection.original < b.connection.original;
}

} // namespace

void FlowTally::add(const LiveFlow& flow) {
    ++summary_.count;
    ++summary_.counts[{flow.peer, flow.path}];
    auto& foremost = summary_.foremost;
    if (foremost.size() == most_) {
        if (most_ == 0 || !comes_before(flow, foremost.front())) return;
        std::ranges::pop_heap(foremost, comes_before);
        foremost.pop_back();
    }
    foremost.push_back(flow);
    std::ranges::push_heap(foremost, comes_before);
}

FlowSummary FlowTally::take() {
    std::ranges::sort_heap(summary_.foremost, comes_before);
    // While others come and go, a dump may show one twice.
    std::set<std::uint32_t> seen;
    std::erase_if(summary_.foremost, [&](const LiveFlow& flow) { return !seen.insert(flow.connection.id).second; });
    return std::move(summary_);
}

} // namespace natctl
