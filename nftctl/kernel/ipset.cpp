// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/ipset.h"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <span>

#include <arpa/inet.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

constexpr const char* type_name = "hash:net";
constexpr std::uint32_t usual_elements = 65536;
/// As many as fit into one message for sure.
constexpr std::size_t elements_per_message = 64;

netlink::Message make_message(int command, std::uint16_t flags) {
    netlink::Message message(static_cast<std::uint16_t>(NFNL_SUBSYS_IPSET << 8 | command), flags);
    auto* const header = message.put_extra<nfgenmsg>();
    header->nfgen_family = AF_INET;
    header->version = NFNETLINK_V0;
    mnl_attr_put_u8(message.header(), IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL);
    return message;
}

netlink::Message make_message(int command, std::uint16_t flags, const std::string& name) {
    auto message = make_message(command, flags);
    mnl_attr_put_strz(message.header(), IPSET_ATTR_SETNAME, name.c_str());
    return message;
}

[[noreturn]] void refuse(const char* verb, const std::string& name, int error) {
    const auto object = "ipset " + name;
    switch (error) {
    case IPSET_ERR_BUSY:
    case IPSET_ERR_REFERENCED:
        throw SystemError(verb, object, EBUSY,
                          "a rule refers to it: `iptables-save | grep " + name + "` names it; remove the rule first");
    case IPSET_ERR_TYPE_MISMATCH: throw SystemError(verb, object, EINVAL, "it is a set of another type");
    case IPSET_ERR_FIND_TYPE:
        throw SystemError(verb, object, EOPNOTSUPP,
                          "the kernel lacks ip_set_hash_net (CONFIG_IP_SET_HASH_NET): modprobe ip_set_hash_net");
    case IPSET_ERR_MAX_SETS: throw SystemError(verb, object, ENFILE, "the kernel has no room for more sets");
    case EPERM: throw SystemError(verb, object, error, "run it as root");
    case EINVAL:
    case EOPNOTSUPP: throw SystemError(verb, object, error, "the kernel lacks ip_set (CONFIG_IP_SET): modprobe ip_set");
    default: throw SystemError(verb, object, error >= IPSET_ERR_PRIVATE ? EPROTO : error);
    }
}

void put_number(nlmsghdr* header, int type, std::uint32_t value) {
    mnl_attr_put_u32(header, static_cast<std::uint16_t>(type | NLA_F_NET_BYTEORDER), htonl(value));
}

void put_member(nlmsghdr* header, const IpsetMember& member) {
    const auto& prefix = member.prefix;
    const bool four = prefix.family() == Family::ipv4;
    auto* const data = mnl_attr_nest_start(header, IPSET_ATTR_DATA);
    auto* const address = mnl_attr_nest_start(header, IPSET_ATTR_IP);
    const int type = (four ? IPSET_ATTR_IPADDR_IPV4 : IPSET_ATTR_IPADDR_IPV6) | NLA_F_NET_BYTEORDER;
    const auto bytes = prefix.network().bytes();
    mnl_attr_put(header, static_cast<std::uint16_t>(type), bytes.size(), bytes.data());
    mnl_attr_nest_end(header, address);
    mnl_attr_put_u8(header, IPSET_ATTR_CIDR, static_cast<std::uint8_t>(prefix.length()));
    if (member.lifetime) put_number(header, IPSET_ATTR_TIMEOUT, static_cast<std::uint32_t>(member.lifetime->count()));
    mnl_attr_nest_end(header, data);
}

} // namespace

Ipsets::Ipsets() : socket_(NETLINK_NETFILTER) {}

bool Ipsets::exists(const std::string& name, Family family) {
    auto message = make_message(IPSET_CMD_HEADER, 0, name);
    std::string type;
    std::uint8_t number = 0;
    const auto answer = socket_.request(message, [&](const nlmsghdr& reply) {
        netlink::each_attribute(reply, sizeof(nfgenmsg), [&](const nlattr& attribute) {
            if (mnl_attr_get_type(&attribute) == IPSET_ATTR_TYPENAME) type = mnl_attr_get_str(&attribute);
            if (mnl_attr_get_type(&attribute) == IPSET_ATTR_FAMILY) number = mnl_attr_get_u8(&attribute);
        });
    });
    if (answer.error == ENOENT) return false;
    if (answer.error != 0) refuse("read", name, answer.error);
    if (type != type_name || number != address_family(family))
        throw SystemError(
            "replace", "ipset " + name, EEXIST,
            fmt::format("somebody made it as {} for {}, natctl needs {} for {}: choose another name under "
                        "ipset in [white_list]",
                        type, number == AF_INET6 ? "IPv6" : "IPv4", type_name,
                        family == Family::ipv6 ? "IPv6" : "IPv4"));
    return true;
}

std::uint8_t Ipsets::newest_revision(Family family) {
    auto message = make_message(IPSET_CMD_TYPE, 0);
    mnl_attr_put_strz(message.header(), IPSET_ATTR_TYPENAME, type_name);
    mnl_attr_put_u8(message.header(), IPSET_ATTR_FAMILY, address_family(family));
    std::uint8_t revision = 0;
    const auto answer = socket_.request(message, [&](const nlmsghdr& reply) {
        netlink::each_attribute(reply, sizeof(nfgenmsg), [&](const nlattr& attribute) {
            if (mnl_attr_get_type(&attribute) == IPSET_ATTR_REVISION) revision = mnl_attr_get_u8(&attribute);
        });
    });
    if (answer.error != 0) refuse("read", std::string("type ") + type_name, answer.error);
    return revision;
}

void Ipsets::create(const std::string& name, Family family, std::size_t elements, Lifetimes lifetimes) {
    const auto revision = newest_revision(family);
    auto message = make_message(IPSET_CMD_CREATE, NLM_F_CREATE | NLM_F_EXCL, name);
    auto* const header = message.header();
    mnl_attr_put_strz(header, IPSET_ATTR_TYPENAME, type_name);
    mnl_attr_put_u8(header, IPSET_ATTR_REVISION, revision);
    mnl_attr_put_u8(header, IPSET_ATTR_FAMILY, address_family(family));
    auto* const data = mnl_attr_nest_start(header, IPSET_ATTR_DATA);
    put_number(header, IPSET_ATTR_MAXELEM, std::max(usual_elements, static_cast<std::uint32_t>(2 * elements)));
    // Of members that have none of their own: for ever.
    if (lifetimes == Lifetimes::some) put_number(header, IPSET_ATTR_TIMEOUT, 0);
    mnl_attr_nest_end(header, data);
    const auto answer = socket_.request(message);
    if (answer.error != 0) refuse("create", name, answer.error);
}

void Ipsets::fill(const std::string& name, const std::vector<IpsetMember>& members) {
    for (std::size_t i = 0; i < members.size(); i += elements_per_message) {
        const auto part = std::span(members).subspan(i, std::min(elements_per_message, members.size() - i));
        auto message = make_message(IPSET_CMD_ADD, 0, name);
        put_number(message.header(), IPSET_ATTR_LINENO, 0);
        auto* const list = mnl_attr_nest_start(message.header(), IPSET_ATTR_ADT);
        for (const auto& member : part) put_member(message.header(), member);
        mnl_attr_nest_end(message.header(), list);
        const auto answer = socket_.request(message);
        if (answer.error != 0) refuse("fill", name, answer.error);
    }
}

void Ipsets::replace(const std::string& name, Family family, const std::vector<IpsetMember>& members) {
    const bool timed =
        std::ranges::any_of(members, [](const IpsetMember& member) { return member.lifetime.has_value(); });
    const auto lifetimes = timed ? Lifetimes::some : Lifetimes::none;
    if (!exists(name, family)) create(name, family, members.size(), lifetimes);
    // Filled under a name of its own, then swapped: nobody ever sees a part of it.
    const std::string fresh = family == Family::ipv4 ? "natctl.new" : "natctl.new6";
    destroy(fresh);
    create(fresh, family, members.size(), lifetimes);
    try {
        fill(fresh, members);
        auto message = make_message(IPSET_CMD_SWAP, 0, fresh);
        mnl_attr_put_strz(message.header(), IPSET_ATTR_SETNAME2, name.c_str());
        const auto answer = socket_.request(message);
        if (answer.error != 0) refuse("replace", name, answer.error);
    } catch (const SystemError&) {
        destroy(fresh);
        throw;
    }
    destroy(fresh);
}

bool Ipsets::destroy(const std::string& name) {
    auto message = make_message(IPSET_CMD_DESTROY, 0, name);
    const auto answer = socket_.request(message);
    if (answer.error == ENOENT) return false;
    if (answer.error != 0) refuse("remove", name, answer.error);
    return true;
}

} // namespace natctl
