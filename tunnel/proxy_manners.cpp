// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/proxy_manners.h"

namespace natctl {

bool ProxyManners::takes_requests_ahead() {
    auto unknown = State::unknown;
    if (state_.compare_exchange_strong(unknown, State::due)) return false;
    return unknown == State::yes;
}

bool ProxyManners::begin_trial() {
    auto due = State::due;
    return state_.compare_exchange_strong(due, State::in_trial);
}

void ProxyManners::learned(bool takes_requests_ahead) {
    auto in_trial = State::in_trial;
    state_.compare_exchange_strong(in_trial, takes_requests_ahead ? State::yes : State::no);
}

} // namespace natctl
