// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/datagram_batch.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

#include <linux/in6.h>
#include <netinet/in.h>
#include <sys/uio.h>

namespace natctl {

namespace {

/// More than any datagram has: nothing is ever cut.
constexpr std::size_t room = std::size_t{1} << 16;

std::optional<Endpoint> original_of(msghdr& message) {
    for (cmsghdr* control = CMSG_FIRSTHDR(&message); control; control = CMSG_NXTHDR(&message, control)) {
        if ((control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_ORIGDSTADDR) ||
            (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_ORIGDSTADDR)) {
            sockaddr_in6 address{};
            std::memcpy(&address, CMSG_DATA(control),
                        std::min<std::size_t>(sizeof address, control->cmsg_len - CMSG_LEN(0)));
            return endpoint_of(reinterpret_cast<const sockaddr*>(&address));
        }
        if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info;
            std::memcpy(&info, CMSG_DATA(control), sizeof info);
            return Endpoint{Address::from_bytes(Family::ipv6, info.ipi6_addr.s6_addr), 0};
        }
    }
    return std::nullopt;
}

} // namespace

struct ReceiveBatch::Slots {
    std::array<mmsghdr, capacity> messages{};
    std::array<iovec, capacity> vectors{};
    std::array<sockaddr_in6, capacity> sources{};
    struct alignas(cmsghdr) Control {
        std::array<std::uint8_t, CMSG_SPACE(sizeof(sockaddr_in6))> bytes;
    };
    std::array<Control, capacity> controls{};
    /// Pages that no datagram has reached yet cost nothing.
    std::unique_ptr<std::uint8_t[]> bytes = std::make_unique_for_overwrite<std::uint8_t[]>(room * capacity);
};

ReceiveBatch::ReceiveBatch() : slots_(std::make_unique<Slots>()) {
    datagrams_.reserve(capacity);
    for (std::size_t i = 0; i < capacity; ++i) {
        slots_->vectors[i] = {slots_->bytes.get() + i * room, room};
        msghdr& message = slots_->messages[i].msg_hdr;
        message.msg_name = &slots_->sources[i];
        message.msg_iov = &slots_->vectors[i];
        message.msg_iovlen = 1;
        message.msg_control = slots_->controls[i].bytes.data();
    }
}

ReceiveBatch::~ReceiveBatch() = default;

std::error_code ReceiveBatch::receive(int fd) {
    datagrams_.clear();
    for (mmsghdr& message : slots_->messages) {
        message.msg_hdr.msg_namelen = sizeof(sockaddr_in6);
        message.msg_hdr.msg_controllen = sizeof(Slots::Control);
    }
    const int count = ::recvmmsg(fd, slots_->messages.data(), capacity, MSG_DONTWAIT, nullptr);
    if (count < 0) return {errno, std::system_category()};
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        mmsghdr& message = slots_->messages[i];
        assert(!(message.msg_hdr.msg_flags & MSG_TRUNC));
        datagrams_.push_back({endpoint_of(reinterpret_cast<const sockaddr*>(&slots_->sources[i])),
                              original_of(message.msg_hdr),
                              {slots_->bytes.get() + i * room, message.msg_len}});
    }
    return {};
}

struct SendBatch::Slots {
    struct Item {
        std::array<std::uint8_t, 262> header;
        std::array<iovec, 2> vectors;
        SocketAddress to;
        Endpoint from;
        SendFailures* failures;
    };
    std::array<mmsghdr, capacity> messages{};
    std::array<Item, capacity> items{};
};

SendBatch::SendBatch() : slots_(std::make_unique<Slots>()) {}

SendBatch::~SendBatch() = default;

void SendBatch::add(int fd, const std::optional<Endpoint>& to, DatagramView header, DatagramView payload,
                    const Endpoint& from, SendFailures& failures) {
    if (count_ == capacity || (count_ > 0 && fd != fd_)) flush();
    fd_ = fd;
    Slots::Item& item = slots_->items[count_];
    assert(header.size() <= item.header.size());
    std::ranges::copy(header, item.header.begin());
    // The interface of the system calls wants non-const bytes that it does not write to.
    item.vectors = {iovec{item.header.data(), header.size()},
                    iovec{const_cast<std::uint8_t*>(payload.data()), payload.size()}};
    item.to = to ? SocketAddress(*to) : SocketAddress();
    item.from = from;
    item.failures = &failures;
    msghdr& message = slots_->messages[count_].msg_hdr;
    message.msg_name = to ? const_cast<sockaddr*>(item.to.data()) : nullptr;
    message.msg_namelen = item.to.size();
    message.msg_iov = item.vectors.data();
    message.msg_iovlen = 2;
    ++count_;
}

void SendBatch::flush() {
    const std::size_t count = std::exchange(count_, 0);
    for (std::size_t done = 0; done < count;) {
        const int sent = ::sendmmsg(fd_, slots_->messages.data() + done, static_cast<unsigned>(count - done),
                                    MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            done += static_cast<std::size_t>(sent);
            continue;
        }
        if (sent < 0 && errno == EINTR) continue;
        const std::error_code error(sent < 0 ? errno : EIO, std::system_category());
        const Slots::Item& item = slots_->items[done++];
        item.failures->not_sent(error, item.from, item.vectors[0].iov_len + item.vectors[1].iov_len);
    }
}

} // namespace natctl
