// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cerrno>
#include <exception>
#include <functional>

#include "nftctl/base/error.h"
#include "nftctl/doctor/examination.h"
#include "nftctl/kernel/netlink.h"

namespace natctl::doctor {

/// One part of the examination: what it sees, or why it failed. A part that fails spoils no other.
template <class Part>
auto look(Part&& part) -> Seen<decltype(part())> {
    try {
        return part();
    } catch (const std::exception& error) {
        return Seen<decltype(part())>::failed(error.what());
    }
}

/// Dumps with a header of type T, which `prepare` may fill in; again from the start, after `restart`, while it is
/// interrupted. `object` is for the message of the SystemError.
template <class T>
void dump(netlink::Socket& socket, std::uint16_t type, const std::string& object,
          const std::function<void(netlink::Message&, T&)>& prepare, const std::function<void()>& restart,
          const netlink::Socket::Each& each) {
    constexpr int most_attempts = 20;
    for (int attempt = 0; attempt < most_attempts; ++attempt) {
        restart();
        netlink::Message message(type, 0);
        prepare(message, *message.put_extra<T>());
        const netlink::Answer answer = socket.dump(message, each);
        if (answer.interrupted) continue;
        // No such table, or no IPv6 in this kernel: nothing is there.
        if (answer.error == 0 || answer.error == ENOENT || answer.error == EAFNOSUPPORT || answer.error == EOPNOTSUPP)
            return;
        throw SystemError("read", object, answer.error, answer.error == EPERM ? "run it as root" : answer.text);
    }
    throw SystemError("read", object, EAGAIN, "somebody changes it without a pause");
}

} // namespace natctl::doctor
