// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <cstdint>

namespace natctl {

/// Whether a proxy reads a request that was sent before it has answered the greeting. Most do; some read a greeting
/// with all that came behind it, and throw that away. For all threads.
class ProxyManners {
public:
    /// False until a trial has shown it. The first call makes a trial due.
    bool takes_requests_ahead();

    /// Whether a trial is due, which then counts as begun.
    bool begin_trial();
    void learned(bool takes_requests_ahead);
    /// Another program may listen there now, or the trial came to nothing.
    void forget() { state_ = State::unknown; }

private:
    enum class State : std::uint8_t { unknown, due, in_trial, yes, no };

    std::atomic<State> state_ = State::unknown;
};

} // namespace natctl
