// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "nftctl/kernel/forget.h"
#include "nftctl/kernel/kernel.h"
#include "nftctl/plan/compile.h"
#include "nftctl/plan/diff.h"
#include "nftctl/site/site.h"

namespace natctl {

/// What apply() would do now.
Transaction pending(Kernel& kernel, const Site& site);

/// Makes the kernel hold what the site needs. Returns what was changed. When the kernel refuses any part, the former
/// state is put back and the refusal is thrown. Open flows that are translated wrongly since are forgotten; see
/// forget.h.
Transaction apply(Kernel& kernel, const Compiler& compiler, const Warn& warn = warn_on_stderr,
                  OtherLifetime other = OtherLifetime::kept);
/// For once.
Transaction apply(Kernel& kernel, const Site& site, const Warn& warn = warn_on_stderr,
                  OtherLifetime other = OtherLifetime::kept);

/// Removes exactly what is ours.
Transaction take_down(Kernel& kernel, const Warn& warn = warn_on_stderr);

} // namespace natctl
