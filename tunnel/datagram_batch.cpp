// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/datagram_batch.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <linux/in6.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/uio.h>

namespace natctl {

namespace {

/// More than any datagram has: nothing is ever cut.
constexpr std::size_t room = std::size_t{1} << 16;

struct Attached {
    std::optional<Endpoint> original;
    /// Of each datagram in the piece but the last, which may be shorter. 0: it is one datagram.
    std::size_t datagram_size = 0;
};

Attached attached_to(msghdr& message) {
    Attached result;
    for (cmsghdr* control = CMSG_FIRSTHDR(&message); control; control = CMSG_NXTHDR(&message, control)) {
        if ((control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_ORIGDSTADDR) ||
            (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_ORIGDSTADDR)) {
            sockaddr_in6 address{};
            std::memcpy(&address, CMSG_DATA(control),
                        std::min<std::size_t>(sizeof address, control->cmsg_len - CMSG_LEN(0)));
            result.original = endpoint_of(reinterpret_cast<const sockaddr*>(&address));
        } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
            in6_pktinfo info;
            std::memcpy(&info, CMSG_DATA(control), sizeof info);
            result.original = Endpoint{Address::from_bytes(Family::ipv6, info.ipi6_addr.s6_addr), 0};
        } else if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
            int size = 0;
            std::memcpy(&size, CMSG_DATA(control), sizeof size);
            result.datagram_size = static_cast<std::size_t>(std::max(size, 0));
        }
    }
    return result;
}

} // namespace

struct ReceiveBatch::Slots {
    std::array<mmsghdr, capacity> messages{};
    std::array<iovec, capacity> vectors{};
    std::array<sockaddr_in6, capacity> sources{};
    struct alignas(cmsghdr) Control {
        std::array<std::uint8_t, CMSG_SPACE(sizeof(sockaddr_in6)) + CMSG_SPACE(sizeof(int))> bytes;
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
    full_ = false;
    for (mmsghdr& message : slots_->messages) {
        message.msg_hdr.msg_namelen = sizeof(sockaddr_in6);
        message.msg_hdr.msg_controllen = sizeof(Slots::Control);
    }
    const int count = ::recvmmsg(fd, slots_->messages.data(), capacity, MSG_DONTWAIT, nullptr);
    if (count < 0) return {errno, std::system_category()};
    full_ = static_cast<std::size_t>(count) == capacity;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
        mmsghdr& message = slots_->messages[i];
        assert(!(message.msg_hdr.msg_flags & MSG_TRUNC));
        const Endpoint from = endpoint_of(reinterpret_cast<const sockaddr*>(&slots_->sources[i]));
        const auto [original, datagram_size] = attached_to(message.msg_hdr);
        DatagramView rest{slots_->bytes.get() + i * room, message.msg_len};
        const std::size_t step = datagram_size == 0 ? rest.size() : datagram_size;
        do {
            const DatagramView payload = rest.first(std::min(step, rest.size()));
            datagrams_.push_back({from, original, payload});
            rest = rest.subspan(payload.size());
        } while (!rest.empty());
    }
    return {};
}

struct SendBatch::Slots {
    struct Item {
        std::array<std::uint8_t, 262> header;
        std::size_t size;
        SocketAddress to;
        Endpoint from;
        SendFailures* failures;
    };
    struct alignas(cmsghdr) Control {
        std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint16_t))> bytes;
    };
    std::array<Item, capacity> items{};
    /// Two for each item, side by side.
    std::array<iovec, 2 * capacity> vectors{};
    /// One for each piece, that is for one item or more.
    std::array<mmsghdr, capacity> messages{};
    std::array<Control, capacity> controls{};
};

SendBatch::SendBatch() : slots_(std::make_unique<Slots>()) {}

SendBatch::~SendBatch() = default;

void SendBatch::add(int fd, const std::optional<Endpoint>& to, DatagramView header, DatagramView payload,
                    const Endpoint& from, SendFailures& failures, Joining joining) {
    if (count_ == capacity || (count_ > 0 && fd != fd_)) flush();
    fd_ = fd;
    joining_ = joining;
    Slots::Item& item = slots_->items[count_];
    assert(header.size() <= item.header.size());
    std::ranges::copy(header, item.header.begin());
    // The interface of the system calls wants non-const bytes that it does not write to.
    slots_->vectors[2 * count_] = {item.header.data(), header.size()};
    slots_->vectors[2 * count_ + 1] = {const_cast<std::uint8_t*>(payload.data()), payload.size()};
    item.size = header.size() + payload.size();
    item.to = to ? SocketAddress(*to) : SocketAddress();
    item.from = from;
    item.failures = &failures;
    ++count_;
}

/// How many items from `first` on can go in one piece: all of one size but the last, which may be shorter, to one
/// destination.
std::size_t SendBatch::piece_from(std::size_t first) const {
    const auto& items = slots_->items;
    const std::size_t size = items[first].size;
    std::size_t all = size;
    std::size_t next = first + 1;
    while (next < count_ && items[next - 1].size == size && items[next].size <= size && items[next].size > 0 &&
           all + items[next].size <= largest_datagram && items[next].to == items[first].to)
        all += items[next++].size;
    return next - first;
}

/// Makes messages of the items from `first` on, and returns how many.
std::size_t SendBatch::arrange(std::size_t first, bool in_pieces) {
    std::size_t messages = 0;
    while (first < count_) {
        const std::size_t items = in_pieces ? piece_from(first) : 1;
        Slots::Item& item = slots_->items[first];
        msghdr& message = slots_->messages[messages].msg_hdr;
        message = {};
        message.msg_name = item.to.size() > 0 ? const_cast<sockaddr*>(item.to.data()) : nullptr;
        message.msg_namelen = item.to.size();
        message.msg_iov = &slots_->vectors[2 * first];
        message.msg_iovlen = 2 * items;
        if (items > 1) {
            Slots::Control& control = slots_->controls[messages];
            message.msg_control = control.bytes.data();
            message.msg_controllen = control.bytes.size();
            cmsghdr* const header = CMSG_FIRSTHDR(&message);
            header->cmsg_level = IPPROTO_UDP;
            header->cmsg_type = UDP_SEGMENT;
            header->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
            const auto size = static_cast<std::uint16_t>(item.size);
            std::memcpy(CMSG_DATA(header), &size, sizeof size);
        }
        first += items;
        ++messages;
    }
    return messages;
}

void SendBatch::fail(std::size_t message, const std::error_code& error) {
    const msghdr& header = slots_->messages[message].msg_hdr;
    const auto first = static_cast<std::size_t>(header.msg_iov - slots_->vectors.data()) / 2;
    for (std::size_t i = first; i < first + header.msg_iovlen / 2; ++i) {
        const Slots::Item& item = slots_->items[i];
        item.failures->not_sent(error, item.from, item.size);
    }
}

void SendBatch::flush() {
    std::size_t messages = arrange(0, joining_ == Joining::udp);
    for (std::size_t done = 0; done < messages;) {
        const int sent = ::sendmmsg(fd_, slots_->messages.data() + done, static_cast<unsigned>(messages - done),
                                    MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent > 0) {
            done += static_cast<std::size_t>(sent);
            continue;
        }
        if (sent < 0 && errno == EINTR) continue;
        const std::error_code error(sent < 0 ? errno : EIO, std::system_category());
        const msghdr& refused = slots_->messages[done].msg_hdr;
        // Larger than the MTU, or a device without checksums (net/ipv4/udp.c, udp_send_skb).
        if (refused.msg_iovlen > 2 && (error.value() == EINVAL || error.value() == EIO || error.value() == EMSGSIZE)) {
            const auto first = static_cast<std::size_t>(refused.msg_iov - slots_->vectors.data()) / 2;
            messages = arrange(first, false);
            done = 0;
            continue;
        }
        fail(done++, error);
    }
    count_ = 0;
}

} // namespace natctl
