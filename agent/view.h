// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/control.h"
#include "agent/flow_reading.h"
#include "agent/interface_traffic.h"
#include "agent/look_figures.h"
#include "agent/process_figures.h"
#include "agent/tunnel_report.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/plan/facts.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What the agent shows of itself and of what it keeps, at one moment. metrics.h and status_json.h make text of it.
struct View {
    control::State state;
    /// What is applied; nullptr: nothing is.
    std::shared_ptr<const Site> site = {};
    Facts facts = {};
    LookFigures looks = {};
    std::optional<TrialState> trial = {};
    /// nullopt: natctl-tunnel does not run.
    std::optional<TunnelReport> tunnel = {};
    /// nullptr: they are not known.
    std::shared_ptr<const FlowReading> flows = {};
    /// How many elements each set of the table is to hold. For metrics alone.
    std::map<std::string, std::uint64_t> set_sizes = {};
    TrafficByInterface traffic = {};
    ProcessFigures process = {};
};

struct LinkView {
    /// As `natctl status` has it: "dev wg0", "socks5 127.0.0.1:1080".
    std::string text;
    /// "dev" or "socks5"
    const char* kind = "dev";
    /// Of a dev link; else empty.
    std::string interface = {};
    /// It could carry packets now.
    bool usable = false;
    /// New flows go by it.
    bool used = false;
    /// It works again, and is waited for.
    bool held = false;
    /// How long it has worked or not; absent: always, as far as is known.
    std::optional<std::chrono::seconds> since = {};
    /// While it is down.
    std::string cause = {};
};

/// A peer's links in order of preference. At most one of them is used: that on which the kernel or, among proxies, the
/// tunnel would put a flow now.
std::vector<LinkView> links_of(const Peer& peer, const View& view);

/// Interfaces that the site names: its LANs and links, each once.
std::vector<std::string> interfaces_of(const Site& site);

} // namespace natctl
