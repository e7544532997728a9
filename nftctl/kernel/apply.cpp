// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/apply.h"

#include <cerrno>
#include <functional>

#include "nftctl/base/error.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/diff.h"

namespace natctl {

namespace {

/// Another writer may change its own tables all the time; each of its commits costs us one attempt.
constexpr int attempts = 50;

void put_back(Kernel& kernel, const Plan& former, const Warn& warn) {
    for (int i = 0; i < attempts; ++i) {
        const auto now = kernel.read();
        const auto back = diff(now.plan, former);
        if (back.empty()) return;
        if (kernel.commit(back, now.generation) == CommitResult::stale) continue;
        forget_stale(kernel, now.plan, former, back, warn);
        return;
    }
}

Transaction reach(Kernel& kernel, const std::function<Plan()>& wanted, const Warn& warn) {
    for (int i = 0; i < attempts; ++i) {
        const auto now = kernel.read();
        const auto target = wanted();
        auto change = diff(now.plan, target);
        if (change.empty()) return change;
        try {
            if (kernel.commit(change, now.generation) == CommitResult::stale) continue;
        } catch (const SystemError&) {
            put_back(kernel, now.plan, warn);
            throw;
        }
        forget_stale(kernel, now.plan, target, change, warn);
        return change;
    }
    throw SystemError("commit", "table inet natctl", EAGAIN,
                      "another program changes nftables all the time: `nft monitor` names it");
}

} // namespace

Transaction pending(Kernel& kernel, const Site& site) {
    return diff(kernel.read().plan, compile(site, kernel.read_facts(site)));
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
