// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "nftctl/kernel/event_socket.h"
#include "nftctl/kernel/links.h"

namespace natctl {

/// The interfaces of a network namespace, for those who ask again and again. The kernel tells of each change of one
/// before the call returns that makes it, or says that it could not (rtnl_notify() in net/core/rtnetlink.c,
/// netlink_overrun()): as long as it is silent, what it listed last is so still. To list them takes 10 us each.
///
/// Who is woken by another socket's event of the same change finds it here too, if this list was made later: the
/// kernel tells its newest listener first (netlink_update_subscriptions() in net/netlink/af_netlink.c).
class LinkList {
public:
    /// Of the calling thread's network namespace.
    LinkList();

    /// `socket`: of the same network namespace. Throws SystemError.
    const std::vector<Device>& read(netlink::Socket& socket);

private:
    netlink::EventSocket changes_;
    std::optional<std::vector<Device>> links_;
};

} // namespace natctl
