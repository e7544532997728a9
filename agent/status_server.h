// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/flow_reader.h"
#include "agent/journal.h"
#include "agent/look_figures.h"
#include "agent/loop.h"
#include "agent/tunnel_client.h"
#include "agent/view.h"
#include "agent/web_listeners.h"
#include "agent/web_server.h"
#include "nftctl/kernel/session.h"

namespace natctl {

/// Shows the agent by HTTP, where [agent] of what is applied says so: metrics for programs, a page for people. Nothing
/// can be changed by it.
class StatusServer {
public:
    using Time = Loop::Clock::time_point;
    struct Sources {
        /// Fills in what the agent knows: state, site and facts.
        std::function<void(View&)> fill_in;
        /// As View has it.
        std::function<std::map<std::string, std::uint64_t>()> set_sizes;
    };

    /// `group`: who may use Unix sockets beside root. `tunnel` is its owner's to tend.
    StatusServer(Loop& loop, const Options& options, const std::string& group, Journal& journal, TunnelClient& tunnel,
                 Sources sources);

    /// Something was applied, or nothing is now (nullptr).
    void follow(const std::shared_ptr<const Site>& site);
    void looked(Loop::Clock::duration took, bool failed);

    /// See FlowReader.
    void finish_reading() { flows_.finish(); }

    std::vector<WebListeners::State> listeners() const { return listeners_.states(); }

    /// When to call tend() next; Time::max(): never.
    Time due() const;
    void tend(Time now);

private:
    using OnView = std::function<void(View&)>;

    void answer(const web::Request& request, const WebServer::Reply& reply);
    /// When natctl-tunnel has answered, and the flows are read.
    void look(OnView on_view);
    View view(const std::optional<TunnelReport>& tunnel) const;
    void tell();

    std::string state_dir_;
    Journal& journal_;
    Sources sources_;
    std::chrono::system_clock::time_point began_ = std::chrono::system_clock::now();
    LookFigures looks_;
    bool page_ = false;
    TunnelClient& tunnel_;
    FlowReader flows_;
    WebServer server_;
    WebListeners listeners_;
};

} // namespace natctl
