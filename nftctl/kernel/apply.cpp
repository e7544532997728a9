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

void put_back(Kernel& kernel, const Plan& former) {
    for (int i = 0; i < attempts; ++i) {
        const auto now = kernel.read();
        const auto back = diff(now.plan, former);
        if (back.empty() || kernel.commit(back, now.generation) == CommitResult::done) return;
    }
}

Transaction reach(Kernel& kernel, const std::function<Plan()>& wanted) {
    for (int i = 0; i < attempts; ++i) {
        const auto now = kernel.read();
        auto change = diff(now.plan, wanted());
        if (change.empty()) return change;
        try {
            if (kernel.commit(change, now.generation) == CommitResult::done) return change;
        } catch (const SystemError&) {
            put_back(kernel, now.plan);
            throw;
        }
    }
    throw SystemError("commit", "table inet natctl", EAGAIN,
                      "another program changes nftables all the time: `nft monitor` names it");
}

} // namespace

Transaction pending(Kernel& kernel, const Site& site) {
    return diff(kernel.read().plan, compile(site, kernel.read_facts(site)));
}

Transaction apply(Kernel& kernel, const Site& site) {
    return reach(kernel, [&] { return compile(site, kernel.read_facts(site)); });
}

Transaction take_down(Kernel& kernel) {
    return reach(kernel, [] { return Plan{}; });
}

} // namespace natctl
