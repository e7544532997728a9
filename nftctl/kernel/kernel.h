// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "nftctl/plan/connection.h"
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
    /// When there were changes to the table, the generation has grown by one.
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

    /// Whether the kernel holds exactly this, as far as that can be told without reading the table: nobody changed any
    /// since remember() was told of it. Costs the same for a table of any size.
    virtual bool holds(const Plan& plan) = 0;
    /// The kernel was seen to hold the plan's table at this generation.
    virtual void remember(const Plan& plan, std::uint32_t generation) = 0;

    using WantedConnection = std::function<bool(const Connection&)>;
    /// The entries of connection tracking that are in at least one of the filters and wanted; one that is in several
    /// may come several times. `wanted` may be called from several threads at once.
    virtual std::vector<Connection> find_connections(std::span<const ConnectionFilter> filters,
                                                     const WantedConnection& wanted) = 0;
    /// Deletes exactly these, and returns how many of them were still there.
    virtual std::size_t remove_connections(std::span<const Connection> connections) = 0;
};

} // namespace natctl
