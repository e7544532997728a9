// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/kernel.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/site/site.h"

namespace natctl {

// What is between session.cpp and upkeep.cpp. The caller holds the lock.

/// Of the configuration that is applied now: the one on trial, or the confirmed one. The file may not exist.
std::string path_of_applied(const StatePaths& paths);

/// The kernel, and the mirror of the white list.
Transaction apply_and_mirror(Kernel& kernel, const Site& site, const std::string& state_dir,
                             OtherLifetime other = OtherLifetime::kept);

} // namespace natctl
