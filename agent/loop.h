// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>

#include "nftctl/base/fd.h"

namespace natctl {

/// Waits for descriptors, by epoll(7). natctl-tunnel has asio for conversations with time limits; here a dozen
/// descriptors are watched whose owners keep all state themselves, and libraries (c-ares, libmnl) that hand out bare
/// descriptors, which asio would want to own.
class Loop {
public:
    using Clock = std::chrono::steady_clock;
    /// `events` as of epoll_ctl(2).
    using Ready = std::function<void(std::uint32_t events)>;

    Loop();

    /// Level-triggered. Watching a descriptor again changes what it is watched for. It stays its owner's, who calls
    /// forget() before it closes it; both may be done from within `ready`.
    void watch(int fd, std::uint32_t events, Ready ready);
    void forget(int fd);

    /// Calls what is ready, once, after waiting until then at the latest.
    void wait(Clock::time_point until);

private:
    Fd epoll_;
    std::map<int, Ready> ready_;
};

} // namespace natctl
