// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/cli/unix_client.h"

#include <sys/socket.h>
#include <sys/time.h>

#include "nftctl/socket/unix_address.h"

namespace natctl {

std::optional<Fd> connect_to(const std::string& path, int patience) {
    const auto address = unix_address(path);
    if (!address) return std::nullopt;
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return std::nullopt;
    set_patience(socket, patience);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
        return std::nullopt;
    return socket;
}

void set_patience(const Fd& socket, int seconds) {
    const timeval time{.tv_sec = seconds, .tv_usec = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

} // namespace natctl
