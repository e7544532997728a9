// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <vector>

#include "agent/flow_pace.h"
#include "agent/flow_reading.h"
#include "agent/loop.h"
#include "nftctl/base/fd.h"
#include "nftctl/plan/live_flow.h"

namespace natctl {

/// Reads the open flows when somebody asks, no oftener than FlowPace allows, and in a thread of its own: among hundreds
/// of thousands of connections that takes so long that links would seem to be silent meanwhile.
class FlowReader {
public:
    /// Called in that thread; may throw.
    using Read = std::function<FlowSummary(const LiveFlows&)>;
    /// nullptr: nothing is known of this site's flows.
    using OnReading = std::function<void(const std::shared_ptr<const FlowReading>&)>;

    FlowReader(Loop& loop, Read read, FlowPace pace = FlowPace());
    ~FlowReader();
    FlowReader(const FlowReader&) = delete;
    FlowReader& operator=(const FlowReader&) = delete;

    /// Whose flows they are from now on; nullptr: nothing is applied.
    void follow(std::shared_ptr<const Site> site);

    /// Calls back once: at once with the last reading where it is too early for another. Who asks while one is on its
    /// way gets that one.
    void ask(OnReading on_reading);

    /// Waits for the thread, if it reads. To be called before fork(2), which leaves locks behind that it may hold.
    void finish();

private:
    /// What tells the flows of a site.
    struct SiteFlows {
        std::shared_ptr<const Site> site;
        LiveFlows flows{*site};
    };
    struct Done {
        FlowReading reading;
        /// Made with the first reading of a site, which may have many maps.
        std::shared_ptr<const SiteFlows> flows;
        FlowPace::Time ended;
    };

    static Done read(const Read& read, const std::shared_ptr<const Site>& site, std::shared_ptr<const SiteFlows> flows);
    void begin();
    void answer();

    Loop& loop_;
    Read read_;
    /// Written to when the thread is done.
    Fd done_;
    FlowPace pace_;
    std::shared_ptr<const Site> site_;
    std::shared_ptr<const SiteFlows> flows_;
    std::shared_ptr<const FlowReading> last_;
    std::vector<OnReading> waiting_;
    /// Valid while the thread reads.
    std::future<Done> running_;
};

} // namespace natctl
