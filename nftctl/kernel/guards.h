// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "nftctl/plan/facts.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Fills in the ids of the users and control groups that [intercept] excepts.
void find_guards(const Site& site, Facts& facts);

/// Paths that come, go or change when these ids do: a service that starts again has another control group of the same
/// name.
std::vector<std::string> guard_files(const Site& site);

} // namespace natctl
