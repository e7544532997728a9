// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>

#include <asio/awaitable.hpp>
#include <asio/posix/stream_descriptor.hpp>

#include "nftctl/base/echo.h"
#include "nftctl/base/mark.h"
#include "tunnel/context.h"
#include "tunnel/datagram_batch.h"
#include "tunnel/echo_flows.h"

namespace natctl {

/// Pings to own IPv6 prefixes that carry IPv4 addresses: asks the IPv4 host, and passes its reply back under the
/// address that was asked. Where no host replies there is silence; ICMP errors are not translated. SOCKS5 carries no
/// pings: these come by interface links, from own hosts and from this machine.
///
/// One for all threads: each raw socket gets a copy of every packet.
class EchoTranslator final : public SendFailures {
public:
    using Clock = std::chrono::steady_clock;

    explicit EchoTranslator(Context& context) : context_(context) {}
    ~EchoTranslator() { stop(); }
    EchoTranslator(const EchoTranslator&) = delete;
    EchoTranslator& operator=(const EchoTranslator&) = delete;

    /// Works by the context's settings from now on. Where the system refuses the sockets, a warning says so.
    void reload();
    /// To be called about once a second.
    void tick(Clock::time_point now) { flows_.tick(now); }
    void stop();

    void not_sent(std::error_code error, const Endpoint& from, std::size_t size) override;

private:
    using Socket = asio::posix::stream_descriptor;
    using Handler = void (EchoTranslator::*)(const Datagram&);
    /// What the sockets depend on.
    struct Marks {
        Mark handed_over;
        std::uint32_t bypass;
        bool operator==(const Marks&) const = default;
    };

    void open(const Marks& marks);
    asio::awaitable<void> serve(std::shared_ptr<Socket> socket, Handler handle);
    void receive_all(Socket& socket, Handler handle);
    void pass_on(const Datagram& request);
    void pass_back(const Datagram& reply);

    Context& context_;
    /// When open.
    std::optional<Marks> marks_;
    std::shared_ptr<Socket> requests6_;
    std::shared_ptr<Socket> replies4_;
    EchoFlows flows_;
    /// A flood beyond this costs the other flows of the thread little: it is received and no more.
    RateLimit rate_{10'000, 1'000};
    Clock::time_point now_;
};

} // namespace natctl
