// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "nftctl/plan/facts.h"
#include "nftctl/site/site.h"

namespace natctl {

/// Fills in the ids of the users and control groups that [intercept] excepts.
void find_guards(const Site& site, Facts& facts);

} // namespace natctl
