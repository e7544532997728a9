// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <utility>

namespace natctl {

/// What is wrong with something, told when it becomes something else. Empty: nothing is.
class ToldOnce {
public:
    void is_now(std::string text) {
        if (text != last_) news_ = last_ = std::move(text);
    }
    /// What has not been told yet.
    std::string take() { return std::exchange(news_, {}); }

private:
    std::string last_;
    std::string news_;
};

} // namespace natctl
