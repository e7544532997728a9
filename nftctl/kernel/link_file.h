// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <string>

#include "nftctl/plan/facts.h"

namespace natctl {

// Facts::out_of_use as natctl-agent has found it, for other programs: RUN_DIR/links_out_of_use, a line "PEER PLACE"
// each.

/// Empty when there is no file, or nothing sensible in it.
std::set<PeerLink> read_out_of_use(const std::string& run_dir);
/// Whole or not at all; none removes the file. Throws SystemError.
void write_out_of_use(const std::string& run_dir, const std::set<PeerLink>& links);

} // namespace natctl
