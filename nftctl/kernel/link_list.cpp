// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/link_list.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

namespace natctl {

LinkList::LinkList() : changes_(NETLINK_ROUTE, {RTNLGRP_LINK}) {}

const std::vector<Device>& LinkList::read(netlink::Socket& socket) {
    bool changed = false;
    const bool all = changes_.receive([&](const nlmsghdr&) { changed = true; });
    // What changes from here on is told of again.
    if (changed || !all || !links_) links_ = read_links(socket);
    return *links_;
}

} // namespace natctl
