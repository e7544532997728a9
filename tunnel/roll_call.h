// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>

namespace natctl {

/// Whether all threads still answer. Asked and read by one thread; answers come from any, also when nobody waits any
/// more.
class RollCall {
public:
    explicit RollCall(std::size_t threads) : threads_(threads) {}

    /// All have answered the last call; before the first one too.
    bool complete() const { return !answers_ || *answers_ >= threads_; }
    /// What each of them is to call, once.
    std::function<void()> begin() {
        answers_ = std::make_shared<std::atomic<std::size_t>>(0);
        return [answers = answers_] { ++*answers; };
    }

private:
    std::size_t threads_;
    std::shared_ptr<std::atomic<std::size_t>> answers_;
};

} // namespace natctl
