// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "nftctl/kernel/kernel.h"

namespace natctl::test {

/// A kernel in memory: as atomic as the real one, with the same errors, and with failures on demand.
class FakeKernel : public Kernel {
public:
    Facts read_facts(const Site&) override { return facts; }
    Snapshot read() override;
    bool holds(const Plan& plan) override;
    void remember(const Plan& plan, std::uint32_t generation) override;
    CommitResult commit(const Transaction& transaction, std::uint32_t generation) override;
    std::vector<Connection> find_connections(std::span<const ConnectionFilter> filters,
                                             const WantedConnection& wanted) override;
    std::size_t remove_connections(std::span<const Connection> gone) override;

    /// Interfaces that routes name must be here and up; lo always is.
    Facts facts;
    /// Routes without our protocol number. They stand in the way of ours.
    std::vector<Route> foreign_routes;

    /// Its connection tracking. While it fails, both functions throw that errno.
    std::vector<Connection> connections;
    std::optional<int> connection_failure;
    /// How often somebody looked through it.
    unsigned connection_walks = 0;

    /// What it holds. set_plan() is somebody who changes it behind our back.
    const Plan& plan() const { return plan_; }
    void set_plan(Plan plan);
    /// Somebody changes another table.
    void change_foreign_table() { ++generation_; }

    enum class Step : std::uint8_t {
        remove_routes_first,
        changes,
        add_routes,
        add_rules,
        remove_rules,
        remove_routes_last
    };
    /// The next commit fails with `error` at the item with this index of a step, once; of the changes all are undone.
    void fail_at(Step step, std::size_t index, int error) { failure_ = Failure{step, index, error}; }
    /// In the next commit somebody changes another table after the first routes were removed, right before the changes
    /// to ours.
    void interfere() { interfere_ = true; }

    /// In the next commit the lifetimes in all sets end after they were read, right before the changes to ours.
    void let_expire() { expire_ = true; }

    /// That many commits change the table and fail with ENOBUFS then, as when there is no room for the answer.
    void lose_answers(unsigned count) { lost_answers_ = count; }

    /// Commits that came to their end.
    unsigned commits = 0;
    /// How often somebody read it all.
    unsigned reads = 0;

private:
    struct Failure {
        Step step;
        std::size_t index;
        int error;
    };

    /// The errno that item has to fail with; 0: none.
    int injected(Step step, std::size_t index);
    void change_table(const std::vector<nft::Change>& changes);
    void add(const Route& route, std::size_t index);
    void remove_expired();
    bool remove(const Route& route, Step step, std::size_t index);

    Plan plan_;
    std::uint32_t generation_ = 1;
    /// As the real one, this one keeps no more of a table than its identity.
    std::optional<Address> identity_;
    std::uint32_t identity_generation_ = 0;
    std::optional<Failure> failure_;
    bool interfere_ = false;
    bool expire_ = false;
    unsigned lost_answers_ = 0;
};

} // namespace natctl::test
