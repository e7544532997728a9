// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/kernel/netlink.h"

namespace natctl {

struct IpsetMember {
    Prefix prefix;
    /// Absent: for ever. At most 2147483.
    std::optional<std::chrono::seconds> lifetime = {};
};

/// Kernel ipsets of type hash:net (NFNL_SUBSYS_IPSET, linux/netfilter/ipset/ip_set.h) of the network namespace that the
/// calling thread is in.
class Ipsets {
public:
    Ipsets();

    /// Whether there is a set of this name. Throws SystemError when it is of another type or family: it is somebody
    /// else's.
    bool exists(const std::string& name, Family family);
    /// Makes the set hold exactly these members, at once. Creates it when it is missing. It knows of lifetimes when one
    /// of them has one.
    void replace(const std::string& name, Family family, const std::vector<IpsetMember>& members);
    /// False: there is none. Throws SystemError when something refers to it.
    bool destroy(const std::string& name);

private:
    enum class Lifetimes : std::uint8_t { none, some };
    void create(const std::string& name, Family family, std::size_t elements, Lifetimes lifetimes);
    void fill(const std::string& name, const std::vector<IpsetMember>& members);
    std::uint8_t newest_revision(Family family);

    netlink::Socket socket_;
};

} // namespace natctl
