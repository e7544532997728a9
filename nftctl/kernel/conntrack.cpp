// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/conntrack.h"

#include <algorithm>
#include <cerrno>
#include <future>

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/conntrack_codec.h"
#include "nftctl/socket/socket_address.h"

namespace natctl {

namespace {

const char* remedy(int error) {
    if (error == EPERM) return "run it as root";
    if (error == EINVAL || error == EOPNOTSUPP)
        return "the kernel lacks nf_conntrack_netlink (CONFIG_NF_CT_NETLINK): modprobe nf_conntrack_netlink";
    return "";
}

std::uint8_t family_number(const std::optional<Family>& family) {
    return family ? address_family(*family) : std::uint8_t{AF_UNSPEC};
}

netlink::Answer ask(netlink::Socket& socket, const ConnectionFilter& filter, const netlink::Socket::Each& each) {
    netlink::Message message(conntrack_message(IPCTNL_MSG_CT_GET), 0);
    auto* const header = message.put_extra<nfgenmsg>();
    header->nfgen_family = family_number(filter.family);
    header->version = NFNETLINK_V0;
    put_filter(*message.header(), filter);
    return socket.dump(message, each);
}

void dump(netlink::Socket& socket, const ConnectionFilter& filter, const Conntrack::Wanted& wanted,
          std::vector<Connection>& found) {
    const auto each = [&](const nlmsghdr& reply) {
        auto connection = parse_connection(reply);
        if (connection && filter.matches(*connection) && wanted(*connection)) found.push_back(*connection);
    };
    netlink::Answer answer = ask(socket, filter, each);
    // A kernel that cannot select by these addresses.
    if (filter.by_address() && (answer.error == EOPNOTSUPP || answer.error == EINVAL))
        answer = ask(socket, {.family = filter.family, .mark = filter.mark, .status = filter.status}, each);
    if (answer.error != 0) throw SystemError("read", "the table of connections", answer.error, remedy(answer.error));
}

/// One message after another in one buffer.
class Deletions {
public:
    /// At most 200 bytes each: two IPv6 addresses, ports, zone, id.
    static constexpr std::size_t most = 1024;

    explicit Deletions(std::uint32_t first_sequence) : sequence_(first_sequence), buffer_(most * room) {}

    void add(const Connection& connection, bool last) {
        nlmsghdr* const message = mnl_nlmsg_put_header(buffer_.data() + size_);
        message->nlmsg_type = conntrack_message(IPCTNL_MSG_CT_DELETE);
        // A refused one answers in any case.
        message->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | (last ? NLM_F_ACK : 0));
        message->nlmsg_seq = sequence_++;
        auto* const header = static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
        header->nfgen_family = address_family(connection.family());
        header->version = NFNETLINK_V0;
        put_identity(*message, connection);
        size_ += NLMSG_ALIGN(message->nlmsg_len);
    }

    std::size_t size() const { return size_; }
    iovec part() { return {buffer_.data(), size_}; }

private:
    static constexpr std::size_t room = 256;

    std::uint32_t sequence_;
    std::vector<char> buffer_;
    std::size_t size_ = 0;
};

} // namespace

Conntrack::Conntrack()
    : sockets_{netlink::Socket(NETLINK_NETFILTER), netlink::Socket(NETLINK_NETFILTER),
               netlink::Socket(NETLINK_NETFILTER)} {}

std::vector<Connection> Conntrack::find(std::span<const ConnectionFilter> filters, const Wanted& wanted) {
    if (count() == 0U) return {};
    // Each walker takes every most_walkers-th filter.
    const auto walk = [&](std::size_t walker) {
        std::vector<Connection> found;
        for (std::size_t i = walker; i < filters.size(); i += most_walkers)
            dump(sockets_[walker], filters[i], wanted, found);
        return found;
    };
    std::vector<std::future<std::vector<Connection>>> others;
    for (std::size_t walker = 1; walker < std::min(most_walkers, filters.size()); ++walker)
        others.push_back(std::async(std::launch::async, walk, walker));
    std::vector<Connection> found = walk(0);
    for (auto& other : others) {
        const auto more = other.get();
        found.insert(found.end(), more.begin(), more.end());
    }
    return found;
}

std::optional<std::uint32_t> Conntrack::count() {
    netlink::Message message(conntrack_message(IPCTNL_MSG_CT_GET_STATS), 0);
    message.put_extra<nfgenmsg>()->version = NFNETLINK_V0;
    std::optional<std::uint32_t> entries;
    const netlink::Answer answer = sockets_[0].request(message, [&](const nlmsghdr& reply) {
        netlink::each_attribute(reply, sizeof(nfgenmsg), [&](const nlattr& attribute) {
            if (mnl_attr_get_type(&attribute) == CTA_STATS_GLOBAL_ENTRIES)
                entries = ntohl(mnl_attr_get_u32(&attribute));
        });
    });
    return answer.error == 0 ? entries : std::nullopt;
}

std::size_t Conntrack::remove(std::span<const Connection> connections) {
    netlink::Socket& socket = sockets_[0];
    std::size_t removed = 0;
    while (!connections.empty()) {
        const auto now = connections.first(std::min(connections.size(), Deletions::most));
        connections = connections.subspan(now.size());
        Deletions deletions(socket.next_sequence());
        for (const Connection& connection : now) deletions.add(connection, &connection == &now.back());
        socket.skip_sequence(static_cast<std::uint32_t>(now.size()));
        iovec part = deletions.part();
        removed += now.size();
        for (const netlink::Answer& answer : socket.transact({&part, 1}, deletions.size())) {
            if (answer.error == 0) continue;
            // It ended by itself meanwhile, or is another one now.
            if (answer.error == ENOENT)
                --removed;
            else
                throw SystemError("delete", "a connection", answer.error, remedy(answer.error));
        }
    }
    return removed;
}

} // namespace natctl
