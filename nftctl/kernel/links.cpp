// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/links.h"

#include <cerrno>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "nftctl/base/error.h"

namespace natctl {

namespace {

Device parse(const nlmsghdr& message) {
    const auto* const header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
    Device link{.index = static_cast<std::uint32_t>(header->ifi_index), .name = {}, .flags = header->ifi_flags};
    netlink::each_attribute(message, sizeof(ifinfomsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == IFLA_IFNAME) link.name = mnl_attr_get_str(&attribute);
    });
    return link;
}

/// Those of IPv6 and of virtual functions, which take long to gather. Linux 4.4; an older one tells of them all the
/// same.
void leave_out_counters(netlink::Message& message) {
    mnl_attr_put_u32(message.header(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

} // namespace

std::vector<Device> read_links(netlink::Socket& socket) {
    std::vector<Device> links;
    const int error = dump_route<ifinfomsg>(
        socket, RTM_GETLINK, [](netlink::Message& message, ifinfomsg&) { leave_out_counters(message); },
        [&] { links.clear(); },
        [&](const nlmsghdr& message) {
            if (message.nlmsg_type == RTM_NEWLINK) links.push_back(parse(message));
        });
    if (error != 0) throw SystemError("read", "interfaces", error);
    return links;
}

std::optional<Device> find_link(netlink::Socket& socket, const std::string& name) {
    netlink::Message message(RTM_GETLINK, 0);
    message.put_extra<ifinfomsg>();
    mnl_attr_put_strz(message.header(), IFLA_IFNAME, name.c_str());
    leave_out_counters(message);
    std::optional<Device> link;
    const netlink::Answer answer = socket.request(message, [&](const nlmsghdr& reply) { link = parse(reply); });
    if (answer.error == ENODEV) return std::nullopt;
    if (answer.error != 0) throw SystemError("find", "interface " + name, answer.error, answer.text);
    return link;
}

} // namespace natctl
