// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "nftctl/kernel/trial.h"
#include "nftctl/site/load.h"

namespace natctl {

// Copies of configurations in the state directory, which mean the same as where they were written.

/// The text of the loaded file, whose site must be there: relative paths are absolute, and maps files are copies of
/// their own in the state directory. The same files give the same text.
std::string keep(LoadResult& loaded, const StatePaths& paths);

/// What such a text says; nullopt when there is no file. Passwords are not looked at: the kernel needs none.
/// Throws SystemError (EINVAL) when it has mistakes.
std::optional<Site> read_kept(const std::string& path);

/// Removes copies of maps files that no configuration in the state directory names any more.
void remove_unused(const StatePaths& paths);

} // namespace natctl
