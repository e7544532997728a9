// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <chrono>

namespace natctl {

/// When the open flows may be read again, however many want to see them: a reading goes through all connections of the
/// kernel, whosever they are, and is to take no more than a fiftieth of the time.
class FlowPace {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    static constexpr Duration usual_distance = std::chrono::seconds(2);
    /// What takes no longer asks for no more than that.
    static constexpr Duration quick = std::chrono::milliseconds(20);
    static constexpr int share = 50;

    explicit FlowPace(Duration distance = usual_distance) : distance_(distance) {}

    bool allows(Time now) const { return now >= next_; }

    void done(Time began, Time ended) {
        next_ = began + distance_;
        if (ended - began > quick) next_ = std::max(next_, ended + share * (ended - began));
    }

private:
    Duration distance_;
    Time next_ = Time::min();
};

} // namespace natctl
