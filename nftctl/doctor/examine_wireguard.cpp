// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>

#include <linux/genetlink.h>
#include <linux/wireguard.h>
#include <poll.h>
#include <sys/socket.h>

#include "nftctl/base/fd.h"
#include "nftctl/doctor/base64.h"
#include "nftctl/doctor/examine.h"
#include "nftctl/doctor/look.h"
#include "nftctl/socket/unix_address.h"

namespace natctl::doctor {

namespace {

/// The kernel's WireGuard, by generic netlink (linux/wireguard.h).
class KernelWireGuard {
public:
    KernelWireGuard() : socket_(NETLINK_GENERIC), family_(find_family()) {}

    /// nullopt: none of the kernel's.
    std::optional<WireGuardDevice> read(const std::string& name) {
        if (family_ == 0) return std::nullopt;
        netlink::Message message(family_, 0);
        auto* const header = message.put_extra<genlmsghdr>();
        header->cmd = WG_CMD_GET_DEVICE;
        header->version = WG_GENL_VERSION;
        mnl_attr_put_strz(message.header(), WGDEVICE_A_IFNAME, name.c_str());
        WireGuardDevice device{.name = name};
        const netlink::Answer answer = socket_.dump(message, [&](const nlmsghdr& reply) { take(device, reply); });
        if (answer.error == ENODEV || answer.error == EOPNOTSUPP) return std::nullopt;
        if (answer.error != 0)
            throw SystemError("read", "peers of " + name, answer.error,
                              answer.error == EPERM ? "run it as root" : answer.text);
        return device;
    }

private:
    std::uint16_t find_family() {
        netlink::Message message(GENL_ID_CTRL, 0);
        auto* const header = message.put_extra<genlmsghdr>();
        header->cmd = CTRL_CMD_GETFAMILY;
        header->version = 1;
        mnl_attr_put_strz(message.header(), CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME);
        std::uint16_t family = 0;
        // ENOENT: the kernel has no WireGuard, or nobody has used it yet.
        socket_.request(message, [&](const nlmsghdr& reply) {
            netlink::each_attribute(reply, sizeof(genlmsghdr), [&](const nlattr& attribute) {
                if (mnl_attr_get_type(&attribute) == CTRL_ATTR_FAMILY_ID) family = mnl_attr_get_u16(&attribute);
            });
        });
        return family;
    }

    static std::optional<Prefix> parse_allowed(const nlattr& nest) {
        std::uint16_t family = 0;
        std::uint8_t length = 0;
        std::span<const std::uint8_t> bytes;
        netlink::each_attribute(nest, [&](const nlattr& attribute) {
            const auto type = mnl_attr_get_type(&attribute);
            if (type == WGALLOWEDIP_A_FAMILY) family = mnl_attr_get_u16(&attribute);
            if (type == WGALLOWEDIP_A_CIDR_MASK) length = mnl_attr_get_u8(&attribute);
            if (type == WGALLOWEDIP_A_IPADDR)
                bytes = {static_cast<const std::uint8_t*>(mnl_attr_get_payload(&attribute)),
                         mnl_attr_get_payload_len(&attribute)};
        });
        const Family kind = family == AF_INET ? Family::ipv4 : Family::ipv6;
        if (bytes.size() != address_bits(kind) / 8 || length > address_bits(kind)) return std::nullopt;
        return Prefix(Address::from_bytes(kind, bytes), length);
    }

    static void take_peer(WireGuardDevice& device, const nlattr& nest) {
        WireGuardPeer peer;
        netlink::each_attribute(nest, [&](const nlattr& attribute) {
            const auto type = mnl_attr_get_type(&attribute);
            if (type == WGPEER_A_PUBLIC_KEY)
                peer.public_key = base64({static_cast<const std::uint8_t*>(mnl_attr_get_payload(&attribute)),
                                          mnl_attr_get_payload_len(&attribute)});
            if (type != WGPEER_A_ALLOWEDIPS) return;
            netlink::each_attribute(attribute, [&](const nlattr& allowed) {
                if (auto prefix = parse_allowed(allowed)) peer.allowed_ips.push_back(*prefix);
            });
        });
        // A peer with many prefixes goes on in the next message.
        if (!device.peers.empty() && device.peers.back().public_key == peer.public_key)
            device.peers.back().allowed_ips.insert(device.peers.back().allowed_ips.end(), peer.allowed_ips.begin(),
                                                   peer.allowed_ips.end());
        else
            device.peers.push_back(std::move(peer));
    }

    static void take(WireGuardDevice& device, const nlmsghdr& reply) {
        netlink::each_attribute(reply, sizeof(genlmsghdr), [&](const nlattr& attribute) {
            if (mnl_attr_get_type(&attribute) != WGDEVICE_A_PEERS) return;
            netlink::each_attribute(attribute, [&](const nlattr& peer) { take_peer(device, peer); });
        });
    }

    netlink::Socket socket_;
    std::uint16_t family_;
};

/// WireGuard in user space, by the socket that wg(8) uses too. nullopt: there is none.
std::optional<WireGuardDevice> read_user_space(const std::string& name) {
    const auto address = unix_address("/var/run/wireguard/" + name + ".sock");
    if (!address) return std::nullopt;
    const Fd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "create", "a socket"));
    // A file that was left behind refuses.
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
        return std::nullopt;
    const std::string question = "get=1\n\n";
    if (::send(socket.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
    std::string text;
    std::array<char, 4096> buffer{};
    constexpr int patience = 500;
    // An empty line ends the answer.
    while (!text.ends_with("\n\n")) {
        pollfd poll{.fd = socket.get(), .events = POLLIN, .revents = 0};
        const auto count = ::poll(&poll, 1, patience) > 0 ? ::recv(socket.get(), buffer.data(), buffer.size(), 0) : -1;
        if (count <= 0) return std::nullopt;
        text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return parse_wireguard(name, text);
}

} // namespace

WireGuardDevice parse_wireguard(const std::string& name, const std::string& text) {
    WireGuardDevice device{.name = name};
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const auto equals = line.find('=');
        if (equals == std::string::npos) continue;
        const std::string value = line.substr(equals + 1);
        if (line.starts_with("public_key="))
            device.peers.push_back({.public_key = base64(from_hex(value).value_or(std::vector<std::uint8_t>()))});
        if (line.starts_with("allowed_ip=") && !device.peers.empty())
            if (const auto prefix = Prefix::parse(value)) device.peers.back().allowed_ips.push_back(*prefix);
    }
    return device;
}

std::vector<WireGuardDevice> read_wireguard(const std::vector<std::string>& interfaces) {
    KernelWireGuard kernel;
    std::vector<WireGuardDevice> devices;
    for (const auto& name : interfaces) {
        auto device = kernel.read(name);
        if (!device) device = read_user_space(name);
        if (device) devices.push_back(std::move(*device));
    }
    return devices;
}

} // namespace natctl::doctor
