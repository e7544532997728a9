// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/timed_ranges.h"

#include <algorithm>
#include <set>

namespace natctl {

namespace {

constexpr auto for_ever = std::chrono::milliseconds::max();

/// Where a range begins, or the first address after it.
struct Edge {
    Address at;
    bool begin;
    std::chrono::milliseconds lifetime;
};

/// After the last range, unless it ends at the top of the address space.
std::vector<Edge> edges_of(const std::vector<TimedRange>& ranges) {
    std::vector<Edge> edges;
    for (const auto& [range, lifetime] : ranges) {
        edges.push_back({range.first, true, lifetime.value_or(for_ever)});
        if (const auto after = range.last.next()) edges.push_back({*after, false, lifetime.value_or(for_ever)});
    }
    std::ranges::sort(edges, {}, &Edge::at);
    return edges;
}

void append(std::vector<TimedRange>& ranges, const TimedRange& next) {
    if (!ranges.empty() && ranges.back().lifetime == next.lifetime &&
        ranges.back().range.last.next() == next.range.first)
        ranges.back().range.last = next.range.last;
    else
        ranges.push_back(next);
}

} // namespace

std::vector<TimedRange> longest_lived(const std::vector<TimedRange>& ranges) {
    std::vector<TimedRange> result;
    if (ranges.empty()) return result;
    const auto top = std::ranges::max_element(ranges, {}, [](const TimedRange& r) { return r.range.last; })->range.last;
    const auto edges = edges_of(ranges);
    std::multiset<std::chrono::milliseconds> lifetimes;
    for (auto edge = edges.begin(); edge != edges.end();) {
        const auto first = edge->at;
        for (; edge != edges.end() && edge->at == first; ++edge) {
            if (edge->begin)
                lifetimes.insert(edge->lifetime);
            else
                lifetimes.erase(lifetimes.find(edge->lifetime));
        }
        if (lifetimes.empty()) continue;
        const auto last = edge == edges.end() ? top : *edge->at.previous();
        const auto longest = *lifetimes.rbegin();
        append(result, {{first, last}, longest == for_ever ? std::nullopt : std::optional(longest)});
    }
    return result;
}

} // namespace natctl
