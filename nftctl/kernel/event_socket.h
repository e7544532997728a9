// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <vector>

#include "nftctl/kernel/nftnl_ptr.h"

namespace natctl::netlink {

/// A netlink socket that takes part in groups and is asked nothing.
class EventSocket {
public:
    using Each = std::function<void(const nlmsghdr&)>;

    /// Of the calling thread's network namespace. Groups are RTNLGRP_* or NFNLGRP_*; the latter need CAP_NET_ADMIN.
    /// Throws SystemError.
    EventSocket(int protocol, const std::vector<int>& groups);

    int fd() const { return mnl_socket_get_fd(socket_.get()); }

    /// Hands over what has arrived. False: there was more than there was room for, and something is lost (ENOBUFS).
    bool receive(const Each& each);

private:
    MnlSocketPtr socket_;
    std::vector<char> buffer_;
};

} // namespace natctl::netlink
