// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <sys/uio.h>

#include "nftctl/base/address.h"
#include "nftctl/kernel/nftnl_ptr.h"

namespace natctl::netlink {

/// Calls each(const nlattr&) for the attributes after the header and `extra` bytes: mnl_attr_for_each() is C only.
template <class Each>
void each_attribute(const nlmsghdr& message, std::size_t extra, Each&& each) {
    const auto* attribute = static_cast<const nlattr*>(mnl_nlmsg_get_payload_offset(&message, extra));
    const auto* const end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(&message));
    for (; mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)));
         attribute = mnl_attr_next(attribute))
        each(*attribute);
}

template <class Each>
void each_attribute(const nlattr& nest, Each&& each) {
    const auto* attribute = static_cast<const nlattr*>(mnl_attr_get_payload(&nest));
    const auto* const end = reinterpret_cast<const char*>(attribute) + mnl_attr_get_payload_len(&nest);
    for (; mnl_attr_ok(attribute, static_cast<int>(end - reinterpret_cast<const char*>(attribute)));
         attribute = mnl_attr_next(attribute))
        each(*attribute);
}

/// nullopt: it is of another length than addresses of that family.
std::optional<Address> decode_address(Family family, const nlattr& attribute);

/// What the kernel said to one request.
struct Answer {
    std::uint32_t sequence = 0;
    /// An errno; 0: done.
    int error = 0;
    /// The kernel's own words (NLMSGERR_ATTR_MSG), mostly empty.
    std::string text = {};
    /// Where in the request the refused attribute stands, counted from its header; 0: not told.
    std::uint32_t offset = 0;
    /// Of a dump: something changed meanwhile (NLM_F_DUMP_INTR), what was seen does not fit together.
    bool interrupted = false;
};

/// Room for one request that is no batch. Aligned as libmnl wants it.
class Message {
public:
    /// `flags` beside NLM_F_REQUEST.
    Message(std::uint16_t type, std::uint16_t flags);

    nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

    /// The header that follows the netlink header, zeroed: rtmsg, nfgenmsg ...
    template <class T>
    T* put_extra() {
        return static_cast<T*>(mnl_nlmsg_put_extra_header(header(), sizeof(T)));
    }

private:
    alignas(nlmsghdr) std::array<char, 4096> buffer_{};
};

/// A netlink socket of the network namespace that the calling thread is in. Requests are answered before the next one
/// is sent; the socket joins no groups, so nothing else arrives.
class Socket {
public:
    using Each = std::function<void(const nlmsghdr&)>;

    /// NETLINK_NETFILTER or NETLINK_ROUTE
    explicit Socket(int protocol);

    /// Sends a request with NLM_F_ACK; messages in the answer go to `each`.
    Answer request(Message& message, const Each& each = {});
    /// Sends a request with NLM_F_DUMP. Repeat when it was interrupted.
    Answer dump(Message& message, const Each& each);

    /// The number for the next message. Whoever numbers messages by himself says how many he took.
    std::uint32_t next_sequence() const { return next_sequence_; }
    void skip_sequence(std::uint32_t count) { next_sequence_ += count; }

    /// Sends messages that the kernel handles within sendmsg, and returns the answers to them, as many as the receive
    /// buffer holds. A sequence number may have several. `bytes` is the sum of all parts.
    std::vector<Answer> transact(std::span<iovec> parts, std::size_t bytes);

    /// By which the kernel knows it; never 0.
    std::uint32_t port() const { return mnl_socket_get_portid(socket_.get()); }
    int fd() const { return mnl_socket_get_fd(socket_.get()); }

private:
    Answer exchange(Message& message, std::uint16_t flags, const Each& each);
    /// Bytes received; negative: -errno.
    ssize_t receive(int flags);

    MnlSocketPtr socket_;
    std::uint32_t next_sequence_ = 1;
    std::vector<char> buffer_;
};

} // namespace natctl::netlink
