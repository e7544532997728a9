// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "nftctl/plan/trace_rules.h"

namespace natctl::nft {

/// The hooks of netfilter for one connection: what our chains do there, and where the kernel translates among them.
class Hooks {
public:
    /// All of these are kept by reference. `reroute` is called when an output hook has changed what the packet's route
    /// depends on (net/ipv4/netfilter.c: ip_route_me_harder()).
    Hooks(const Plan& plan, const Surroundings& surroundings, Passage& passage, Story& story,
          std::function<void()> reroute)
        : plan_(plan),
          runner_(plan, surroundings, passage, story),
          passage_(passage),
          story_(story),
          reroute_(std::move(reroute)) {}

    /// False: the packet has ended there, and the story says so.
    bool pass(HookPoint point);

private:
    bool run(const Chain& chain) { return runner_.run(chain) != RuleRunner::Outcome::ended; }
    bool translate(HookPoint point, const std::vector<const Chain*>& chains);

    const Plan& plan_;
    RuleRunner runner_;
    Passage& passage_;
    Story& story_;
    std::function<void()> reroute_;
    // Of the connection: where it goes, and whence it seems to come, have been decided.
    bool destination_bound_ = false;
    bool source_bound_ = false;
};

} // namespace natctl::nft
