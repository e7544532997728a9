// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/facts.h"

#include <algorithm>
#include <cerrno>
#include <optional>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/links.h"

namespace natctl {

namespace {

struct FoundAddress {
    std::uint32_t index = 0;
    InterfaceAddress address;
    /// 0: it stays; 1: it changes by itself (RFC 8981); 2: it is on its way out.
    int passing = 0;
};

/// nullopt: none that a packet may have as its source.
std::optional<FoundAddress> parse(const nlmsghdr& message) {
    const auto* const header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
    const bool ipv4 = header->ifa_family == AF_INET;
    if (message.nlmsg_type != RTM_NEWADDR || (!ipv4 && header->ifa_family != AF_INET6)) return std::nullopt;
    const Family family = ipv4 ? Family::ipv4 : Family::ipv6;
    if (!ipv4 && header->ifa_scope == RT_SCOPE_LINK) return std::nullopt;

    std::uint32_t flags = header->ifa_flags;
    std::optional<Address> address;
    std::optional<Address> local;
    netlink::each_attribute(message, sizeof(ifaddrmsg), [&](const nlattr& attribute) {
        const auto type = mnl_attr_get_type(&attribute);
        if (type == IFA_FLAGS) flags = mnl_attr_get_u32(&attribute);
        if (type != IFA_ADDRESS && type != IFA_LOCAL) return;
        (type == IFA_LOCAL ? local : address) = netlink::decode_address(family, attribute);
    });
    // On a point-to-point interface IFA_ADDRESS is the other end's.
    if (local) address = local;
    const bool unproven = (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0 && (flags & IFA_F_OPTIMISTIC) == 0;
    if (!address || unproven) return std::nullopt;
    const int passing = (flags & IFA_F_DEPRECATED) != 0 ? 2 : !ipv4 && (flags & IFA_F_TEMPORARY) != 0 ? 1 : 0;
    return FoundAddress{header->ifa_index, {*address, header->ifa_prefixlen}, passing};
}

std::vector<FoundAddress> read_addresses(netlink::Socket& socket) {
    std::vector<FoundAddress> addresses;
    const int error = dump_route<ifaddrmsg>(
        socket, RTM_GETADDR, [](netlink::Message&, ifaddrmsg&) {}, [&] { addresses.clear(); },
        [&](const nlmsghdr& message) {
            if (const auto found = parse(message)) addresses.push_back(*found);
        });
    if (error != 0) throw SystemError("read", "addresses", error);
    // The kernel lists the newest first: what stands for the router should be what it keeps.
    std::ranges::stable_sort(addresses, {}, &FoundAddress::passing);
    return addresses;
}

} // namespace

std::vector<Interface> read_interfaces(netlink::Socket& socket, const std::vector<Device>& links) {
    std::vector<Interface> interfaces;
    for (const Device& link : links) {
        const bool up = (link.flags & IFF_UP) != 0 && (link.flags & IFF_RUNNING) != 0;
        interfaces.push_back({.name = link.name, .index = link.index, .up = up, .addresses = {}});
    }
    for (const FoundAddress& found : read_addresses(socket)) {
        const auto interface = std::ranges::find(interfaces, found.index, &Interface::index);
        if (interface != interfaces.end()) interface->addresses.push_back(found.address);
    }
    return interfaces;
}

} // namespace natctl
