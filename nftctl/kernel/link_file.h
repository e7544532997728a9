// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>

#include "nftctl/plan/facts.h"

namespace natctl {

// Links that natctl-agent has found failed, for other programs and for the next agent: RUN_DIR/links_out_of_use. The
// first line is the boot that it belongs to, each other one "PEER PLACE MILLISECONDS USE FAMILIES LINK": the time of
// CLOCK_MONOTONIC since when it is so, whether new flows may take it ("in" or "out"), by which IP versions the kernel
// takes no route ("0", "4", "6" or "46"), and the link as link_text() has it. No such file, or one of another boot:
// none.

struct FailedLink {
    std::chrono::steady_clock::time_point since{};
    /// As Facts::out_of_use has it. What has failed may be the best there is.
    bool out_of_use = true;
    std::set<Family> unroutable = {};
    /// The place may be another one's when the next agent begins.
    std::string text = {};
    bool operator==(const FailedLink&) const = default;
};
using FailedLinks = std::map<PeerLink, FailedLink>;

FailedLinks read_failed_links(const std::string& run_dir);
/// Throws SystemError.
void write_failed_links(const std::string& run_dir, const FailedLinks& links);

/// As a plan without the agent has to take them.
void believe(const FailedLinks& links, Facts& facts);

} // namespace natctl
