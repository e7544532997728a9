// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/apply.h"

#include <cerrno>
#include <functional>
#include <optional>

#include "nftctl/base/error.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/diff.h"

namespace natctl {

namespace {

/// Another writer may change its own tables all the time; each of its commits costs us one attempt.
constexpr int attempts = 50;

/// Commits of one change that may end without an answer; one more is a refusal.
constexpr int most_unanswered = 5;

/// The answer was lost for want of room, or the call was interrupted: whether the request was done is not known.
/// Reading again tells.
bool is_unanswered(const SystemError& error) { return error.error() == ENOBUFS || error.error() == EINTR; }

void put_back(Kernel& kernel, const Plan& former, const Warn& warn) {
    int unanswered = 0;
    for (int i = 0; i < attempts; ++i) {
        const auto now = kernel.read();
        const auto back = diff(now.plan, former);
        if (back.empty()) return;
        try {
            if (kernel.commit(back, now.generation) == CommitResult::stale) continue;
        } catch (const SystemError& error) {
            if (is_unanswered(error) && ++unanswered <= most_unanswered) continue;
            throw;
        }
        forget_stale(kernel, now.plan, former, back, warn);
        return;
    }
}

Transaction reach(Kernel& kernel, const std::function<Plan()>& wanted, const Warn& warn) {
    int unanswered = 0;
    // What stood before a commit of ours of which something may have been done.
    std::optional<Plan> former;
    for (int i = 0; i < attempts; ++i) {
        const auto target = wanted();
        if (!former && kernel.holds(target)) return {};
        const auto now = kernel.read();
        auto rest = diff(now.plan, target);
        try {
            if (!rest.empty() && kernel.commit(rest, now.generation) == CommitResult::stale) continue;
        } catch (const SystemError& error) {
            if (!former) former = now.plan;
            if (is_unanswered(error) && ++unanswered <= most_unanswered) continue;
            put_back(kernel, *former, warn);
            throw;
        }
        kernel.remember(target, now.generation + (rest.changes.empty() ? 0 : 1));
        if (rest.empty() && !former) return rest;
        if (former) rest = diff(*former, target);
        forget_stale(kernel, former ? *former : now.plan, target, rest, warn);
        return rest;
    }
    if (former) put_back(kernel, *former, warn);
    throw SystemError("commit", "table inet natctl", EAGAIN,
                      "another program changes nftables all the time: `nft monitor` names it");
}

} // namespace

Transaction pending(Kernel& kernel, const Site& site) {
    const auto wanted = compile(site, kernel.read_facts(site));
    return kernel.holds(wanted) ? Transaction{} : diff(kernel.read().plan, wanted);
}

Transaction apply(Kernel& kernel, const Site& site, const Warn& warn) {
    return reach(
        kernel, [&] { return compile(site, kernel.read_facts(site)); }, warn);
}

Transaction take_down(Kernel& kernel, const Warn& warn) {
    return reach(
        kernel, [] { return Plan{}; }, warn);
}

} // namespace natctl
