// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <set>

#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include "nftctl/doctor/examine.h"
#include "nftctl/doctor/look.h"
#include "nftctl/socket/socket_address.h"

namespace natctl::doctor {

namespace {

Device parse_device(const nlmsghdr& message) {
    const auto* const header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
    Device device;
    device.switched_on = (header->ifi_flags & IFF_UP) != 0;
    device.running = (header->ifi_flags & IFF_RUNNING) != 0;
    netlink::each_attribute(message, sizeof(ifinfomsg), [&](const nlattr& attribute) {
        const auto type = mnl_attr_get_type(&attribute);
        if (type == IFLA_IFNAME) device.name = mnl_attr_get_str(&attribute);
        if (type == IFLA_MTU) device.mtu = mnl_attr_get_u32(&attribute);
        if (type != IFLA_LINKINFO) return;
        netlink::each_attribute(attribute, [&](const nlattr& info) {
            if (mnl_attr_get_type(&info) == IFLA_INFO_KIND) device.kind = mnl_attr_get_str(&info);
        });
    });
    return device;
}

ForeignRule parse_rule(const nlmsghdr& message, Family family) {
    const auto* const header = static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(&message));
    ForeignRule rule{.family = family, .table = header->table};
    rule.inverted = (header->flags & FIB_RULE_INVERT) != 0;
    rule.looks_up = header->action == FR_ACT_TO_TBL;
    rule.has_more = header->tos != 0;
    Mark mark{.value = 0, .mask = 0};
    netlink::each_attribute(message, sizeof(fib_rule_hdr), [&](const nlattr& attribute) {
        switch (mnl_attr_get_type(&attribute)) {
        case FRA_PRIORITY: rule.priority = mnl_attr_get_u32(&attribute); break;
        case FRA_TABLE: rule.table = mnl_attr_get_u32(&attribute); break;
        case FRA_IIFNAME: rule.iif = mnl_attr_get_str(&attribute); break;
        case FRA_OIFNAME: rule.oif = mnl_attr_get_str(&attribute); break;
        case FRA_FWMARK: mark.value = mnl_attr_get_u32(&attribute); break;
        case FRA_FWMASK: mark.mask = mnl_attr_get_u32(&attribute); break;
        case FRA_PROTOCOL: rule.protocol = mnl_attr_get_u8(&attribute); break;
        case FRA_SRC:
            if (const auto address = netlink::decode_address(family, attribute))
                rule.from = Prefix(*address, header->src_len);
            break;
        case FRA_DST:
            if (const auto address = netlink::decode_address(family, attribute))
                rule.to = Prefix(*address, header->dst_len);
            break;
        case FRA_SUPPRESS_PREFIXLEN: {
            // -1: nothing is suppressed.
            const auto length = static_cast<std::int32_t>(mnl_attr_get_u32(&attribute));
            if (length >= 0) rule.suppress = static_cast<unsigned>(length);
            break;
        }
        case FRA_L3MDEV:
        case FRA_UID_RANGE:
        case FRA_IP_PROTO:
        case FRA_SPORT_RANGE:
        case FRA_DPORT_RANGE: rule.has_more = true; break;
        default: break;
        }
    });
    if (mark.mask != 0) rule.fwmark = mark;
    return rule;
}

ForeignRoute parse_route(const nlmsghdr& message, Family family, const std::map<std::uint32_t, std::string>& names) {
    const auto* const header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    Address destination = family == Family::ipv4 ? Address() : *Address::parse("::");
    ForeignRoute route{.table = header->rtm_table, .destination = {}, .protocol = header->rtm_protocol};
    netlink::each_attribute(message, sizeof(rtmsg), [&](const nlattr& attribute) {
        const auto type = mnl_attr_get_type(&attribute);
        if (type == RTA_TABLE) route.table = mnl_attr_get_u32(&attribute);
        if (type == RTA_DST) destination = netlink::decode_address(family, attribute).value_or(destination);
        if (type == RTA_OIF)
            if (const auto name = names.find(mnl_attr_get_u32(&attribute)); name != names.end())
                route.dev = name->second;
    });
    route.destination = Prefix(destination, header->rtm_dst_len);
    return route;
}

void each_link(netlink::Socket& socket, const std::function<void()>& restart, const netlink::Socket::Each& each) {
    dump<ifinfomsg>(
        socket, RTM_GETLINK, "interfaces", [](netlink::Message&, ifinfomsg&) {}, restart,
        [&](const nlmsghdr& message) {
            if (message.nlmsg_type == RTM_NEWLINK) each(message);
        });
}

} // namespace

std::vector<Device> read_devices() {
    netlink::Socket socket(NETLINK_ROUTE);
    std::vector<Device> devices;
    each_link(
        socket, [&] { devices.clear(); }, [&](const nlmsghdr& message) { devices.push_back(parse_device(message)); });
    return devices;
}

std::vector<ForeignRule> read_foreign_rules() {
    netlink::Socket socket(NETLINK_ROUTE);
    std::vector<ForeignRule> rules;
    for (const Family family : {Family::ipv4, Family::ipv6}) {
        const auto before = rules.size();
        dump<fib_rule_hdr>(
            socket, RTM_GETRULE, "policy rules",
            [&](netlink::Message&, fib_rule_hdr& header) { header.family = address_family(family); },
            [&] { rules.resize(before); },
            [&](const nlmsghdr& message) {
                const auto* const header = static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(&message));
                if (message.nlmsg_type != RTM_NEWRULE || header->family != address_family(family)) return;
                auto rule = parse_rule(message, family);
                if (rule.protocol != route_protocol) rules.push_back(std::move(rule));
            });
    }
    return rules;
}

std::vector<ForeignRoute> read_foreign_routes(const std::vector<ForeignRule>& rules) {
    std::set<std::uint32_t> tables;
    for (std::uint32_t table = routing::link_table; table <= routing::last_table; ++table) tables.insert(table);
    // The table `local` holds this machine's addresses, which other checks look at.
    for (const ForeignRule& rule : rules)
        if (rule.priority < routing::link_priority && rule.looks_up && rule.table != RT_TABLE_LOCAL)
            tables.insert(rule.table);

    netlink::Socket socket(NETLINK_ROUTE);
    std::map<std::uint32_t, std::string> names;
    each_link(
        socket, [&] { names.clear(); },
        [&](const nlmsghdr& message) {
            const auto* const header = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
            names[static_cast<std::uint32_t>(header->ifi_index)] = parse_device(message).name;
        });
    std::vector<ForeignRoute> routes;
    for (const Family family : {Family::ipv4, Family::ipv6})
        for (const std::uint32_t table : tables) {
            const auto before = routes.size();
            dump<rtmsg>(
                socket, RTM_GETROUTE, "routes of table " + std::to_string(table),
                [&](netlink::Message& message, rtmsg& header) {
                    header.rtm_family = address_family(family);
                    mnl_attr_put_u32(message.header(), RTA_TABLE, table);
                },
                [&] { routes.resize(before); },
                [&](const nlmsghdr& message) {
                    const auto* const header = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
                    if (message.nlmsg_type != RTM_NEWROUTE || header->rtm_family != address_family(family) ||
                        (header->rtm_flags & RTM_F_CLONED) != 0 || header->rtm_protocol == route_protocol)
                        return;
                    auto route = parse_route(message, family, names);
                    // Kernels before 4.20 do not select.
                    if (route.table == table) routes.push_back(std::move(route));
                });
        }
    return routes;
}

} // namespace natctl::doctor
