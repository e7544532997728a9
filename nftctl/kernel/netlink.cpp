// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/netlink.h"

#include <cassert>
#include <cerrno>
#include <cstring>

#include <linux/netlink.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"

namespace natctl::netlink {

namespace {

/// Answers to a batch wait in the receive buffer until sendmsg returns: at most one for each of its messages.
constexpr int receive_buffer = 8 << 20;
/// The kernel fills what a reader offers, up to 32 KiB at a time.
constexpr std::size_t read_size = 64 << 10;

const char* name_of(int protocol) {
    return protocol == NETLINK_NETFILTER ? "netlink socket for netfilter" : "netlink socket for routing";
}

Answer parse_error(const nlmsghdr* header) {
    const auto* error = static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(header));
    Answer answer{.sequence = header->nlmsg_seq, .error = -error->error};
    if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return answer;
    // NETLINK_CAP_ACK: of the request only its header is returned.
    std::size_t skip = sizeof(nlmsgerr);
    if ((header->nlmsg_flags & NLM_F_CAPPED) == 0) skip += error->msg.nlmsg_len - sizeof(nlmsghdr);
    each_attribute(*header, skip, [&](const nlattr& attribute) {
        const auto* const payload = static_cast<const char*>(mnl_attr_get_payload(&attribute));
        if (mnl_attr_get_type(&attribute) == NLMSGERR_ATTR_MSG)
            answer.text.assign(payload, strnlen(payload, mnl_attr_get_payload_len(&attribute)));
        if (mnl_attr_get_type(&attribute) == NLMSGERR_ATTR_OFFS) answer.offset = mnl_attr_get_u32(&attribute);
    });
    return answer;
}

/// The status that ends a dump; 0 from kernels that send none.
int done_status(const nlmsghdr* header) {
    int status = 0;
    if (mnl_nlmsg_get_payload_len(header) >= sizeof status)
        std::memcpy(&status, mnl_nlmsg_get_payload(header), sizeof status);
    return -status;
}

} // namespace

std::optional<Address> decode_address(Family family, const nlattr& attribute) {
    const auto* const bytes = static_cast<const std::uint8_t*>(mnl_attr_get_payload(&attribute));
    const std::size_t size = mnl_attr_get_payload_len(&attribute);
    if (size != address_bits(family) / 8) return std::nullopt;
    return Address::from_bytes(family, std::span(bytes, size));
}

Message::Message(std::uint16_t type, std::uint16_t flags) {
    nlmsghdr* const put = mnl_nlmsg_put_header(buffer_.data());
    put->nlmsg_type = type;
    put->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
}

Socket::Socket(int protocol) : socket_(mnl_socket_open2(protocol, SOCK_CLOEXEC)), buffer_(read_size) {
    if (!socket_ && errno == EPROTONOSUPPORT)
        throw SystemError("open", name_of(protocol), errno,
                          "the kernel lacks nfnetlink (CONFIG_NETFILTER_NETLINK): modprobe nf_tables");
    if (!socket_) throw_errno("open", name_of(protocol));
    check(mnl_socket_bind(socket_.get(), 0, MNL_SOCKET_AUTOPID), "bind", name_of(protocol));
    int on = 1;
    // Kernels since 4.11 and 4.3 know both. Without them we have less to say, that is all.
    mnl_socket_setsockopt(socket_.get(), NETLINK_EXT_ACK, &on, sizeof on);
    mnl_socket_setsockopt(socket_.get(), NETLINK_CAP_ACK, &on, sizeof on);
    if (protocol == NETLINK_ROUTE) {
        // Lets the kernel select in dumps (4.20). Without it we get everything and select ourselves, which we do
        // anyway.
        mnl_socket_setsockopt(socket_.get(), NETLINK_GET_STRICT_CHK, &on, sizeof on);
    }
    const int size = receive_buffer;
    if (setsockopt(fd(), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

ssize_t Socket::receive(int flags) {
    while (true) {
        const ssize_t received = recv(fd(), buffer_.data(), buffer_.size(), flags);
        if (received >= 0) return received;
        if (errno != EINTR) return -errno;
    }
}

Answer Socket::request(Message& message, const Each& each) { return exchange(message, NLM_F_ACK, each); }

Answer Socket::dump(Message& message, const Each& each) { return exchange(message, NLM_F_DUMP, each); }

Answer Socket::exchange(Message& message, std::uint16_t flags, const Each& each) {
    nlmsghdr* const header = message.header();
    header->nlmsg_flags = static_cast<std::uint16_t>(header->nlmsg_flags | flags);
    const std::uint32_t sequence = next_sequence_++;
    header->nlmsg_seq = sequence;
    check(mnl_socket_sendto(socket_.get(), header, header->nlmsg_len), "send", "netlink request");

    bool interrupted = false;
    while (true) {
        const ssize_t received = receive(0);
        if (received < 0) throw SystemError("receive", "netlink answer", static_cast<int>(-received));
        int left = static_cast<int>(received);
        for (const auto* reply = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(reply, left);
             reply = mnl_nlmsg_next(reply, &left)) {
            // Left over from a request that was given up with an exception.
            if (reply->nlmsg_seq != sequence) continue;
            interrupted = interrupted || (reply->nlmsg_flags & NLM_F_DUMP_INTR) != 0;
            if (reply->nlmsg_type == NLMSG_ERROR) {
                Answer answer = parse_error(reply);
                answer.interrupted = interrupted || answer.error == EINTR;
                return answer;
            }
            if (reply->nlmsg_type == NLMSG_DONE) {
                const int status = done_status(reply);
                return {.sequence = sequence, .error = status, .interrupted = interrupted || status == EINTR};
            }
            if (reply->nlmsg_type >= NLMSG_MIN_TYPE && each) each(*reply);
        }
    }
}

std::vector<Answer> Socket::transact(std::span<iovec> parts, std::size_t bytes) {
    // netlink_sendmsg() wants the whole message to fit, less 32 bytes; setsockopt doubles the value.
    const int size = static_cast<int>(bytes + 64);
    if (setsockopt(fd(), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) < 0)
        setsockopt(fd(), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);

    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    msghdr message{};
    message.msg_name = &kernel;
    message.msg_namelen = sizeof kernel;
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    if (sendmsg(fd(), &message, 0) < 0) {
        const int error = errno;
        throw SystemError("send", "batch of " + std::to_string(bytes) + " bytes", error,
                          error == EMSGSIZE ? "raise net.core.wmem_max or run it as root" : "");
    }

    std::vector<Answer> answers;
    while (true) {
        const ssize_t received = receive(MSG_DONTWAIT);
        if (received == -EAGAIN) return answers;
        // More answers than the buffer holds. The first ones, which tell most, are in it.
        if (received == -ENOBUFS) continue;
        if (received < 0) throw SystemError("receive", "answer to a batch", static_cast<int>(-received));
        int left = static_cast<int>(received);
        for (const auto* reply = reinterpret_cast<const nlmsghdr*>(buffer_.data()); mnl_nlmsg_ok(reply, left);
             reply = mnl_nlmsg_next(reply, &left))
            if (reply->nlmsg_type == NLMSG_ERROR) answers.push_back(parse_error(reply));
    }
}

} // namespace natctl::netlink
