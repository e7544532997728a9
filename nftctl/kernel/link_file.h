// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "nftctl/plan/facts.h"

namespace natctl {

// Links that natctl-agent has found failed, for other programs and for the next agent: RUN_DIR/links_out_of_use. The
// first line is the boot that it belongs to, each other one "PEER PLACE MILLISECONDS FAMILIES": the time of
// CLOCK_MONOTONIC since when it is so, and by which IP versions the kernel takes no route ("0", "4", "6" or "46"). No
// such file, or one of another boot: none.

struct FailedLink {
    std::chrono::steady_clock::time_point since{};
    std::set<Family> unroutable = {};
    bool operator==(const FailedLink&) const = default;
};
using FailedLinks = std::map<PeerLink, FailedLink>;

FailedLinks read_failed_links(const std::string& run_dir);
/// Throws SystemError.
void write_failed_links(const std::string& run_dir, const FailedLinks& links);

/// As a plan without the agent has to take them.
void believe(const FailedLinks& links, Facts& facts);

} // namespace natctl
