// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/flow_log.h"

#include <algorithm>

#include <spdlog/spdlog.h>

namespace natctl {

bool RateLimit::allow(Clock::time_point now) {
    const std::chrono::duration<double> passed = now - last_;
    last_ = now;
    tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
}

void FlowLog::failed(const Endpoint& from, const std::string& to, const std::string& link, const std::string& cause,
                     const std::string& remedy) {
    {
        const std::lock_guard lock(mutex_);
        auto kind = std::pair(link, cause);
        if (kinds_.size() >= most_kinds && !kinds_.contains(kind)) kind = {"", "other causes"};
        ++kinds_[kind];
        if (!limit_.allow(RateLimit::Clock::now())) {
            ++suppressed_;
            return;
        }
        if (suppressed_ > 0) spdlog::warn("{} more flows failed; not logged one by one", suppressed_);
        suppressed_ = 0;
    }
    spdlog::warn("{} -> {}{}{}: {}{}{}", from.text(), to.empty() ? "?" : to, link.empty() ? "" : ", ", link, cause,
                 remedy.empty() ? "" : "; ", remedy);
}

std::vector<FailureCount> FlowLog::failures() const {
    const std::lock_guard lock(mutex_);
    std::vector<FailureCount> all;
    for (const auto& [kind, count] : kinds_) all.push_back({kind.first, kind.second, count});
    return all;
}

} // namespace natctl
