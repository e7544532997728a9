// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/loop.h"
#include "agent/tunnel_report.h"
#include "nftctl/base/fd.h"

namespace natctl {

/// Asks natctl-tunnel how it is, without waiting for it.
class TunnelClient {
public:
    using Time = Loop::Clock::time_point;
    /// nullopt: it does not run, is of another release, or has not answered in time.
    using OnReport = std::function<void(const std::optional<TunnelReport>&)>;

    /// `path`: of its socket.
    TunnelClient(Loop& loop, std::string path);
    ~TunnelClient();
    TunnelClient(const TunnelClient&) = delete;
    TunnelClient& operator=(const TunnelClient&) = delete;

    /// Who asks while a report is on its way gets that one. Calls back once, perhaps at once.
    void ask(OnReport on_report);

    /// When to call tend() next; Time::max(): never.
    Time due() const { return socket_ ? deadline_ : Time::max(); }
    void tend(Time now);

private:
    void connect();
    void read();
    void end(const std::optional<TunnelReport>& report);

    Loop& loop_;
    std::string path_;
    Fd socket_;
    Time deadline_{};
    std::string in_;
    std::vector<OnReport> waiting_;
};

} // namespace natctl
