// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/kernel/netlink.h"

namespace natctl {

/// A network interface as rtnetlink lists it ("link" there), without its addresses.
struct Device {
    std::uint32_t index = 0;
    std::string name;
    /// IFF_*
    std::uint32_t flags = 0;
};

// By rtnetlink: if_nametoindex() would ask in the namespace of the calling thread, not in the socket's.

std::vector<Device> read_links(netlink::Socket& socket);

/// nullopt: there is no such interface.
std::optional<Device> find_link(netlink::Socket& socket, const std::string& name);

/// Dumps with a header of type T, which `prepare` may fill in; again from the start, after `restart`, as often as it is
/// interrupted. Returns 0 or an errno.
template <class T>
int dump_route(netlink::Socket& socket, std::uint16_t type, const std::function<void(netlink::Message&, T&)>& prepare,
               const std::function<void()>& restart, const netlink::Socket::Each& each) {
    // Each change takes microseconds, so a few repetitions meet a pause.
    constexpr int most_attempts = 20;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        restart();
        netlink::Message message(type, 0);
        T& header = *message.put_extra<T>();
        prepare(message, header);
        const netlink::Answer answer = socket.dump(message, each);
        if (!answer.interrupted) return answer.error;
    }
    return EAGAIN;
}

} // namespace natctl
