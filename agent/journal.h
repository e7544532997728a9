// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace natctl {

enum class Weight : std::uint8_t { info, warning, error };

/// "info", "warning", "error"
std::string_view text(Weight weight);

/// Something that the agent did or noticed, a sentence for people.
struct JournalEntry {
    std::chrono::system_clock::time_point at;
    Weight weight = Weight::info;
    std::string text;
};

/// What the agent says: to its log, to those who watch, and later to those who ask what has been.
class Journal {
public:
    using Listener = std::function<void(const JournalEntry&)>;

    void say(Weight weight, const std::string& text);
    void listen(Listener listener) { listener_ = std::move(listener); }

    /// The last ones, oldest first.
    const std::deque<JournalEntry>& recent() const { return recent_; }

private:
    std::deque<JournalEntry> recent_;
    Listener listener_;
};

} // namespace natctl
