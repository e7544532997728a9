// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/deadlines.h"

#include <system_error>

namespace natctl {

Deadlines::Guard::Guard(Deadlines& deadlines, asio::ip::tcp::socket& socket, Clock::duration limit, Expiry expiry)
    : deadlines_(deadlines),
      socket_(socket),
      at_(Clock::now() + limit),
      expiry_(expiry) {
    if (deadlines.guards_.size() >= deadlines.max_guards_) {
        for (Guard* oldest : deadlines.guards_) {
            if (oldest->expired_) continue;
            oldest->expire();
            break;
        }
    }
    self_ = deadlines.guards_.insert(deadlines.guards_.end(), this);
}

Deadlines::Guard::~Guard() { deadlines_.guards_.erase(self_); }

void Deadlines::Guard::expire() {
    expired_ = true;
    std::error_code ignored;
    if (expiry_ == Expiry::cancel)
        socket_.cancel(ignored);
    else
        socket_.close(ignored);
}

void Deadlines::tick(Clock::time_point now) {
    for (Guard* guard : guards_)
        if (!guard->expired_ && guard->at_ <= now) guard->expire();
}

} // namespace natctl
