// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/kernel_events.h"

#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "nftctl/base/address.h"
#include "nftctl/kernel/netlink.h"
#include "nftctl/kernel/nftables.h"
#include "nftctl/plan/route.h"
#include "nftctl/plan/table.h"

namespace natctl {

namespace {

using netlink::each_attribute;

std::string address_in(const nlmsghdr& message) {
    const auto* const header = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
    const Family family = header->ifa_family == AF_INET ? Family::ipv4 : Family::ipv6;
    std::optional<Address> address;
    std::optional<Address> local;
    each_attribute(message, sizeof(ifaddrmsg), [&](const nlattr& attribute) {
        const auto type = mnl_attr_get_type(&attribute);
        if (type == IFA_LOCAL) local = netlink::decode_address(family, attribute);
        if (type == IFA_ADDRESS) address = netlink::decode_address(family, attribute);
    });
    if (local) address = local;
    if (!address) return {};
    return (message.nlmsg_type == RTM_NEWADDR ? "+" : "-") + address->text();
}

bool is_our_route(const nlmsghdr& message) {
    const auto* const header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    if (header->rtm_protocol == route_protocol) return true;
    // In our tables others stand in the way of ours.
    std::uint32_t table = header->rtm_table;
    each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == RTA_TABLE) table = mnl_attr_get_u32(&attribute);
    });
    return table >= routing::link_table && table <= routing::last_table;
}

bool is_our_rule(const nlmsghdr& message) {
    bool ours = false;
    each_attribute(message, sizeof(fib_rule_hdr), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == FRA_PROTOCOL) ours = mnl_attr_get_u8(&attribute) == route_protocol;
    });
    return ours;
}

/// In all messages of nf_tables that concern one the first attribute is the table's name (NFTA_*_TABLE).
bool concerns_our_table(const nlmsghdr& message) {
    const auto* const header = static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(&message));
    if (header->nfgen_family != NFPROTO_INET) return false;
    bool ours = false;
    each_attribute(message, sizeof(nfgenmsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) != NFTA_TABLE_NAME) return;
        const auto* const text = static_cast<const char*>(mnl_attr_get_payload(&attribute));
        ours = std::string_view(text, ::strnlen(text, mnl_attr_get_payload_len(&attribute))) == nft::table_name;
    });
    return ours;
}

/// The end of a transaction (NFT_MSG_NEWGEN): who made it.
struct End {
    std::uint32_t generation = 0;
    std::uint32_t process = 0;
    std::string name = {};
};

End end_in(const nlmsghdr& message) {
    End end;
    each_attribute(message, sizeof(nfgenmsg), [&](const nlattr& attribute) {
        const auto type = mnl_attr_get_type(&attribute);
        if (type == NFTA_GEN_ID) end.generation = ntohl(mnl_attr_get_u32(&attribute));
        if (type == NFTA_GEN_PROC_PID) end.process = ntohl(mnl_attr_get_u32(&attribute));
        if (type == NFTA_GEN_PROC_NAME) end.name = mnl_attr_get_str(&attribute);
    });
    return end;
}

} // namespace

RouteEvents::RouteEvents()
    : socket_(NETLINK_ROUTE, {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                              RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE}) {}

void RouteEvents::take_link(const nlmsghdr& message, std::vector<KernelEvent>& events) {
    const auto* const header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
    // Of bridge ports (AF_BRIDGE) the same message tells something else.
    if (header->ifi_family != AF_UNSPEC) return;
    Link link{.name = {}, .flags = header->ifi_flags & (IFF_UP | IFF_RUNNING)};
    each_attribute(message, sizeof(ifinfomsg), [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == IFLA_IFNAME) link.name = mnl_attr_get_str(&attribute);
    });
    if (message.nlmsg_type == RTM_DELLINK) {
        links_.erase(header->ifi_index);
        events.push_back({.cause = Cause::link, .what = "-" + link.name});
        return;
    }
    auto& known = links_[header->ifi_index];
    if (known == link) return;
    known = link;
    events.push_back({.cause = Cause::link, .what = link.name});
}

std::vector<KernelEvent> RouteEvents::take() {
    std::vector<KernelEvent> events;
    const bool all = socket_.receive([&](const nlmsghdr& message) {
        switch (message.nlmsg_type) {
        case RTM_NEWLINK:
        case RTM_DELLINK: take_link(message, events); break;
        case RTM_NEWADDR:
        case RTM_DELADDR: events.push_back({.cause = Cause::address, .what = address_in(message)}); break;
        case RTM_DELROUTE:
            if (is_our_route(message)) events.push_back({.cause = Cause::route});
            break;
        // One that replaces ours; ours that are new are our own doing.
        case RTM_NEWROUTE:
            if ((message.nlmsg_flags & NLM_F_REPLACE) != 0 && is_our_route(message))
                events.push_back({.cause = Cause::route});
            break;
        case RTM_DELRULE:
            if (is_our_rule(message)) events.push_back({.cause = Cause::rule});
            break;
        default: break;
        }
    });
    if (!all) {
        links_.clear();
        events.push_back({.cause = Cause::missed_events});
    }
    return events;
}

TableEvents::TableEvents()
    : socket_(NETLINK_NETFILTER, {NFNLGRP_NFTABLES}),
      own_process_(nft::Nftables().own_process()) {}

void TableEvents::end_transaction(const nlmsghdr& message, std::vector<KernelEvent>& events) {
    const End end = end_in(message);
    if (!std::exchange(ours_, false)) {
        if (foreign_ && foreign_->last + 1 == end.generation)
            foreign_->last = end.generation;
        else
            foreign_ = Generations{end.generation, end.generation};
        return;
    }
    foreign_.reset();
    if (end.process != own_process_)
        events.push_back({.cause = Cause::table, .by = fmt::format("{} (process {})", end.name, end.process)});
}

std::vector<KernelEvent> TableEvents::take() {
    std::vector<KernelEvent> events;
    const bool all = socket_.receive([&](const nlmsghdr& message) {
        if (message.nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES) return;
        if ((message.nlmsg_type & 0xff) == NFT_MSG_NEWGEN)
            end_transaction(message, events);
        else
            ours_ = ours_ || concerns_our_table(message);
    });
    if (!all) {
        // What ends the next transaction may end one whose beginning was lost.
        ours_ = true;
        foreign_.reset();
        events.push_back({.cause = Cause::missed_events});
    }
    return events;
}

} // namespace natctl
