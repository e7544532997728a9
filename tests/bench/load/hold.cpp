// SPDX-License-Identifier: GPL-3.0-or-later
#include "load/load.h"

#include <cstdio>
#include <vector>

#include <fmt/format.h>
#include <sys/socket.h>

#include "load/poller.h"
#include "nftctl/base/error.h"

namespace natctl::bench {

void hold(const Endpoint& server, std::size_t count) {
    take_all_descriptors();
    /// So many at once: nobody's queue of new connections overflows.
    constexpr std::size_t portion = 100;
    Poller poller;
    std::vector<Fd> all;
    while (all.size() < count) {
        const std::size_t begin = all.size();
        std::vector<bool> asked(portion);
        std::size_t open = 0;
        for (; open < portion && all.size() < count; ++open) {
            all.push_back(start_connecting(server));
            poller.add(all.back().get(), EPOLLOUT, all.size() - 1);
        }
        while (open > 0)
            for (const epoll_event& event : poller.wait(std::chrono::seconds(1))) {
                const int fd = all[event.data.u64].get();
                char byte = 'x';
                if (const int error = connect_error(fd)) throw SystemError("connect to", server.text(), error);
                if (!asked[event.data.u64 - begin]) {
                    asked[event.data.u64 - begin] = true;
                    check(static_cast<int>(::send(fd, &byte, 1, MSG_NOSIGNAL)), "ask", server.text());
                    poller.change(fd, EPOLLIN, event.data.u64);
                    continue;
                }
                if (::recv(fd, &byte, 1, 0) != 1) throw SystemError("hear from", server.text(), errno);
                // Silent from now on.
                poller.change(fd, 0, event.data.u64);
                --open;
            }
    }
    fmt::print("ready\n");
    std::fflush(stdout);
    while (std::getchar() != EOF) {
    }
}

} // namespace natctl::bench
