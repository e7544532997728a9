// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/send_waiting.h"

#include <cerrno>

#include <sys/socket.h>

namespace natctl {

bool send_waiting(int socket, std::string& waiting) {
    while (!waiting.empty()) {
        const auto count = ::send(socket, waiting.data(), waiting.size(), MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno == EAGAIN;
        waiting.erase(0, static_cast<std::size_t>(count));
    }
    return true;
}

} // namespace natctl
