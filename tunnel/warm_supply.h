// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace natctl {

/// How many connections to a proxy are worth keeping ready, and how long each may wait. Time is the caller's.
class WarmSupply {
public:
    using Clock = std::chrono::steady_clock;

    /// natctl-tunnel gives its clients 10 s to make a request, dante 30, v2ray 60.
    static constexpr Clock::duration longest_life = std::chrono::seconds(8);
    static constexpr Clock::duration shortest_life = std::chrono::seconds(2);
    /// After the last flow one is kept for so long. A proxy that hangs up on a connection younger than the shortest
    /// life does not want it: none is kept for as long.
    static constexpr Clock::duration memory = std::chrono::minutes(1);

    /// A flow needed one, whether there was one or not.
    void needed(Clock::time_point now);
    /// A flow came then, to whichever thread.
    void remember(Clock::time_point then);
    /// To be called about once a second.
    void tick();
    /// As many as flows came within a second lately.
    std::size_t wanted(Clock::time_point now) const;

    /// How old one may become. Shorter once a proxy has hung up earlier, and then longer again little by little.
    Clock::duration life() const { return life_; }
    void hung_up(Clock::time_point now, Clock::duration age);
    void outlived() { life_ = std::min(longest_life, life_ + life_ / 8); }

private:
    Clock::time_point last_need_{};
    Clock::time_point resting_until_{};
    Clock::duration life_ = longest_life;
    std::size_t needed_ = 0;
    std::size_t lately_ = 0;
    bool ever_ = false;
};

} // namespace natctl
