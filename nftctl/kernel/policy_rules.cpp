// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/policy_rules.h"

#include <algorithm>
#include <cerrno>

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/links.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

std::string text_of(const PolicyRule& rule) {
    return std::string(rule.family == Family::ipv4 ? "IPv4" : "IPv6") + " rule with priority " +
           std::to_string(rule.priority) + " for table " + std::to_string(rule.table);
}

struct FoundRule {
    PolicyRule rule;
    std::uint8_t protocol = 0;
    /// It has selectors or actions that none of ours has.
    bool foreign = false;
};

FoundRule parse(const nlmsghdr& message) {
    const auto* const header = static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(&message));
    FoundRule found{.rule = {.family = header->family == AF_INET ? Family::ipv4 : Family::ipv6, .priority = 0},
                    .protocol = 0,
                    .foreign = header->action != FR_ACT_TO_TBL || header->src_len != 0 || header->dst_len != 0 ||
                               header->tos != 0 || (header->flags & FIB_RULE_INVERT) != 0};
    found.rule.table = header->table;
    Mark mark{.value = 0, .mask = 0};
    netlink::each_attribute(message, sizeof(fib_rule_hdr), [&](const nlattr& attribute) {
        switch (mnl_attr_get_type(&attribute)) {
        case FRA_PRIORITY: found.rule.priority = mnl_attr_get_u32(&attribute); break;
        case FRA_TABLE: found.rule.table = mnl_attr_get_u32(&attribute); break;
        case FRA_IIFNAME: found.rule.iif = mnl_attr_get_str(&attribute); break;
        case FRA_FWMARK: mark.value = mnl_attr_get_u32(&attribute); break;
        case FRA_FWMASK: mark.mask = mnl_attr_get_u32(&attribute); break;
        case FRA_PROTOCOL: found.protocol = mnl_attr_get_u8(&attribute); break;
        case FRA_OIFNAME:
        case FRA_UID_RANGE:
        case FRA_IP_PROTO:
        case FRA_SPORT_RANGE:
        case FRA_DPORT_RANGE: found.foreign = true; break;
        default: break;
        }
    });
    if (mark.mask != 0) found.rule.fwmark = mark;
    return found;
}

/// Of IPv4, and of IPv6 where the kernel has it.
std::vector<FoundRule> dump(netlink::Socket& socket) {
    std::vector<FoundRule> rules;
    const int error = dump_route<fib_rule_hdr>(
        socket, RTM_GETRULE, [](netlink::Message&, fib_rule_hdr&) {}, [&] { rules.clear(); },
        [&](const nlmsghdr& message) {
            const auto* const header = static_cast<const fib_rule_hdr*>(mnl_nlmsg_get_payload(&message));
            // Those of multicast routing are listed as well.
            const bool ip = header->family == AF_INET || header->family == AF_INET6;
            if (message.nlmsg_type == RTM_NEWRULE && ip) rules.push_back(parse(message));
        });
    if (error != 0) throw SystemError("read", "policy rules", error);
    return rules;
}

netlink::Message make_message(const PolicyRule& rule, std::uint16_t type, std::uint16_t flags) {
    netlink::Message message(type, flags);
    auto* const header = message.put_extra<fib_rule_hdr>();
    header->family = address_family(rule.family);
    header->action = FR_ACT_TO_TBL;
    mnl_attr_put_u32(message.header(), FRA_PRIORITY, rule.priority);
    mnl_attr_put_u32(message.header(), FRA_TABLE, rule.table);
    mnl_attr_put_u8(message.header(), FRA_PROTOCOL, route_protocol);
    if (!rule.iif.empty()) mnl_attr_put_strz(message.header(), FRA_IIFNAME, rule.iif.c_str());
    if (rule.fwmark) {
        mnl_attr_put_u32(message.header(), FRA_FWMARK, rule.fwmark->value);
        mnl_attr_put_u32(message.header(), FRA_FWMASK, rule.fwmark->mask);
    }
    return message;
}

bool is_ours(const FoundRule& found) { return found.protocol == route_protocol && !found.foreign; }

std::string remedy(const netlink::Answer& answer) {
    if (answer.error == EPERM) return "run it as root";
    return answer.text.empty() ? "" : "the kernel says: " + answer.text;
}

} // namespace

std::vector<PolicyRule> read_policy_rules(netlink::Socket& socket) {
    std::vector<PolicyRule> rules;
    for (FoundRule& found : dump(socket))
        if (is_ours(found)) rules.push_back(std::move(found.rule));
    std::ranges::sort(rules);
    return rules;
}

void add_policy_rule(netlink::Socket& socket, const PolicyRule& rule) {
    netlink::Message message = make_message(rule, RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL);
    const netlink::Answer answer = socket.request(message);
    // The kernel compares the protocol too: the rule that exists is ours.
    if (answer.error == EEXIST) return;
    if (answer.error != 0) throw SystemError("add", text_of(rule), answer.error, remedy(answer));
}

bool remove_policy_rule(netlink::Socket& socket, const PolicyRule& rule) {
    netlink::Message message = make_message(rule, RTM_DELRULE, 0);
    const netlink::Answer answer = socket.request(message);
    if (answer.error == ENOENT || answer.error == ESRCH) return false;
    if (answer.error != 0) throw SystemError("delete", text_of(rule), answer.error, remedy(answer));
    return true;
}

} // namespace natctl
