// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/apply.h"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <optional>

#include "nftctl/base/error.h"

namespace natctl {

namespace {

/// Another writer may change its own tables all the time; each of its commits costs us one attempt.
constexpr int attempts = 50;

/// Commits of one change that may end without an answer; one more is a refusal.
constexpr int most_unanswered = 5;

/// The answer was lost for want of room, or the call was interrupted: whether the request was done is not known.
/// Reading again tells.
bool is_unanswered(const SystemError& error) { return error.error() == ENOBUFS || error.error() == EINTR; }

/// Commits of one change that may miss an element whose lifetime ended after it was read; one more is a refusal.
constexpr int most_expired = 5;

/// An element that was to be deleted may have gone by itself.
bool may_have_expired(const SystemError& error, const Transaction& change) {
    return error.error() == ENOENT && std::ranges::any_of(change.changes, [](const nft::Change& item) {
               const auto* gone = std::get_if<nft::DeleteElements>(&item);
               return gone && gone->set.timeout;
           });
}

/// Counts the errors after which it is worth while to read again and go on from there.
class Patience {
public:
    bool lasts(const SystemError& error, const Transaction& change) {
        if (is_unanswered(error)) return ++unanswered_ <= most_unanswered;
        return may_have_expired(error, change) && ++expired_ <= most_expired;
    }

private:
    int unanswered_ = 0;
    int expired_ = 0;
};

void put_back(Kernel& kernel, const Plan& former, const Warn& warn) {
    Patience patience;
    for (int i = 0; i < attempts; ++i) {
        const auto now = kernel.read();
        const auto back = diff(now.plan, former);
        if (back.empty()) return;
        try {
            if (kernel.commit(back, now.generation) == CommitResult::stale) continue;
        } catch (const SystemError& error) {
            if (patience.lasts(error, back)) continue;
            throw;
        }
        forget_stale(kernel, now.plan, former, back, warn);
        return;
    }
}

Transaction reach(Kernel& kernel, const std::function<Plan()>& wanted, const Warn& warn,
                  OtherLifetime other = OtherLifetime::kept) {
    Patience patience;
    // What stood before a commit of ours of which something may have been done.
    std::optional<Plan> former;
    for (int i = 0; i < attempts; ++i) {
        const auto target = wanted();
        if (!former && other == OtherLifetime::kept && kernel.holds(target)) return {};
        const auto now = kernel.read();
        auto rest = diff(now.plan, target, other);
        try {
            if (!rest.empty() && kernel.commit(rest, now.generation) == CommitResult::stale) continue;
        } catch (const SystemError& error) {
            if (!former) former = now.plan;
            if (patience.lasts(error, rest)) continue;
            put_back(kernel, *former, warn);
            throw;
        }
        kernel.remember(target, now.generation + (rest.changes.empty() ? 0 : 1));
        if (rest.empty() && !former) return rest;
        if (former) rest = diff(*former, target, other);
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

Transaction apply(Kernel& kernel, const Compiler& compiler, const Warn& warn, OtherLifetime other) {
    return reach(
        kernel, [&] { return compiler.compile(kernel.read_facts(compiler.site())); }, warn, other);
}

Transaction apply(Kernel& kernel, const Site& site, const Warn& warn, OtherLifetime other) {
    return apply(kernel, Compiler(site), warn, other);
}

Transaction take_down(Kernel& kernel, const Warn& warn) {
    return reach(
        kernel, [] { return Plan{}; }, warn);
}

} // namespace natctl
