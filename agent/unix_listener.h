// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "nftctl/base/fd.h"

namespace natctl {

/// A listening Unix socket for root and one group: a name, or empty for root alone. Replaces a socket that was left by
/// an agent that was killed, and nothing else. `shorter`: what to do when the path is too long. Throws SystemError.
Fd listen_at(const std::string& path, const std::string& group, const std::string& shorter);

} // namespace natctl
