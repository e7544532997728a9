// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/facts.h"

#include <algorithm>

namespace natctl {

bool Interface::has_neighbour(const Address& address) const {
    static const auto link_local = *Prefix::parse("fe80::/10");
    return link_local.contains(address) || std::ranges::any_of(addresses, [&](const InterfaceAddress& own) {
               return own.address.family() == address.family() && Prefix(own.address, own.length).contains(address);
           });
}

const Interface* Facts::find(const std::string& name) const {
    const auto found = std::ranges::find(interfaces, name, &Interface::name);
    return found == interfaces.end() ? nullptr : &*found;
}

} // namespace natctl
