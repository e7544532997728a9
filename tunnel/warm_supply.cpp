// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/warm_supply.h"

namespace natctl {

void WarmSupply::needed(Clock::time_point now) {
    remember(now);
    ++needed_;
}

void WarmSupply::remember(Clock::time_point then) {
    last_need_ = std::max(last_need_, then);
    ever_ = true;
}

void WarmSupply::tick() {
    lately_ = std::max(needed_, lately_ * 3 / 4);
    needed_ = 0;
}

std::size_t WarmSupply::wanted(Clock::time_point now) const {
    if (!ever_ || now - last_need_ >= memory || now < resting_until_) return 0;
    return std::max({std::size_t{1}, lately_, needed_});
}

void WarmSupply::hung_up(Clock::time_point now, Clock::duration age) {
    if (age < shortest_life)
        resting_until_ = now + memory;
    else
        life_ = std::max(shortest_life, std::min(life_, age * 3 / 4));
}

} // namespace natctl
