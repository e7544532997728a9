// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

#include "nftctl/plan/facts.h"
#include "nftctl/plan/plan.h"
#include "nftctl/plan/transaction.h"

namespace natctl {

struct Site;

/// What the kernel holds of ours, and the nf_tables generation at which it was read.
struct Snapshot {
    Plan plan;
    std::uint32_t generation = 0;
};

enum class CommitResult {
    done,
    /// Somebody changed some table since the snapshot was read (ERESTART): nothing was done, read again.
    stale,
};

/// The seam to the kernel. Everything throws SystemError when the kernel refuses.
class Kernel {
public:
    virtual ~Kernel() = default;

    /// What the site's plan depends on.
    virtual Facts read_facts(const Site& site) = 0;
    virtual Snapshot read() = 0;
    /// The table changes are atomic and conditional on `generation`. Routes and rules follow one by one, each safe to
    /// repeat; when one is refused this throws and what was done so far stays: apply() puts the former state back.
    virtual CommitResult commit(const Transaction& transaction, std::uint32_t generation) = 0;
};

} // namespace natctl
