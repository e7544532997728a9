// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "nftctl/base/address.h"
#include "nftctl/kernel/netlink.h"

namespace natctl {

/// Kernel ipsets of type hash:net (NFNL_SUBSYS_IPSET, linux/netfilter/ipset/ip_set.h) of the network namespace that the
/// calling thread is in.
class Ipsets {
public:
    Ipsets();

    /// Whether there is a set of this name. Throws SystemError when it is of another type or family: it is somebody
    /// else's.
    bool exists(const std::string& name, Family family);
    /// Makes the set hold exactly these prefixes, at once. Creates it when it is missing.
    void replace(const std::string& name, Family family, const std::vector<Prefix>& prefixes);
    /// False: there is none. Throws SystemError when something refers to it.
    bool destroy(const std::string& name);

private:
    void create(const std::string& name, Family family, std::size_t elements);
    void fill(const std::string& name, const std::vector<Prefix>& prefixes);
    std::uint8_t newest_revision(Family family);

    netlink::Socket socket_;
};

} // namespace natctl
