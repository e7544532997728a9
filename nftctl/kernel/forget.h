// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "nftctl/kernel/kernel.h"

namespace natctl {

/// Is told what went wrong without standing in the way, a sentence for people.
using Warn = std::function<void(const std::string&)>;

/// "warning: TEXT" on stderr.
void warn_on_stderr(const std::string& text);

/// Deletes the connections that the change from `before` to `after`, which has been committed, made wrong: see
/// StaleFlows. Returns how many. When the kernel refuses, that is a warning: the plan itself is in place.
std::size_t forget_stale(Kernel& kernel, const Plan& before, const Plan& after, const Transaction& change,
                         const Warn& warn);

} // namespace natctl
