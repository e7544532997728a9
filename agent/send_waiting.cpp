// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/send_waiting.h"

#include <cerrno>
#include <cstddef>

#include <sys/socket.h>

namespace natctl {

bool send_waiting(int socket, std::string& waiting) {
    std::size_t sent = 0;
    bool there = true;
    while (there && sent < waiting.size()) {
        const auto count = ::send(socket, waiting.data() + sent, waiting.size() - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) {
            there = errno == EAGAIN;
            break;
        }
        sent += static_cast<std::size_t>(count);
    }
    waiting.erase(0, sent);
    return there;
}

} // namespace natctl
