// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "nftctl/plan/flow_tally.h"
#include "nftctl/site/site.h"

namespace natctl {

/// The open flows at one moment.
struct FlowReading {
    /// Whose they are.
    std::shared_ptr<const Site> site;
    FlowSummary flows = {};
    /// Why they could not be read; empty: they could.
    std::string failure = {};
    /// When it began, by two clocks: for rates, and for ages.
    std::chrono::steady_clock::time_point at = {};
    std::chrono::system_clock::time_point wall_time = {};
};

} // namespace natctl
