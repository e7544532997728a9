// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/forget.h"

#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/plan/stale.h"

namespace natctl {

void warn_on_stderr(const std::string& text) { fmt::print(stderr, "warning: {}\n", text); }

std::size_t forget_stale(Kernel& kernel, const Plan& before, const Plan& after, const Transaction& change,
                         const Warn& warn) {
    const StaleFlows stale(before, after, change);
    const auto filters = stale.filters();
    if (filters.empty()) return 0;
    try {
        const auto found = kernel.find_connections(filters, [&](const Connection& c) { return stale.is_stale(c); });
        return kernel.remove_connections(found);
    } catch (const SystemError& error) {
        warn(std::string(error.what()) +
             "; open flows whose translation has changed stay as they are until they end, or until: conntrack -F");
        return 0;
    }
}

} // namespace natctl
