// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "nftctl/base/fd.h"

namespace natctl {

/// Connects to the socket in the file system at that path, by a program that is to be asked; nothing takes longer than
/// so many seconds. nullopt: nobody listens, or one may not connect.
std::optional<Fd> connect_to(const std::string& path, int patience);

/// How long reading and writing may take from now on; 0: as long as they want.
void set_patience(const Fd& socket, int seconds);

} // namespace natctl
