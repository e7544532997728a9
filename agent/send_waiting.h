// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace natctl {

/// Sends what a nonblocking socket takes of `waiting`, and takes that off. False: the other side is gone.
bool send_waiting(int socket, std::string& waiting);

} // namespace natctl
