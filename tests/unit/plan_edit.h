// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <utility>

#include "nftctl/plan/compile.h"
#include "nftctl/plan/diff.h"
#include "nftctl/plan/stale.h"

namespace natctl::test {

/// A change from one plan to another, and the flows that it makes wrong.
struct PlanEdit {
    PlanEdit(Plan from, Plan to)
        : before(std::move(from)),
          after(std::move(to)),
          change(diff(before, after)),
          stale(before, after, change) {}
    PlanEdit(const PlanEdit&) = delete;
    PlanEdit& operator=(const PlanEdit&) = delete;

    Plan before;
    Plan after;
    Transaction change;
    StaleFlows stale;
};

} // namespace natctl::test
