// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/journal.h"

#include <cstddef>

#include <spdlog/spdlog.h>

namespace natctl {

namespace {

constexpr std::size_t most_entries = 20;

spdlog::level::level_enum level_of(Weight weight) {
    switch (weight) {
    case Weight::info: return spdlog::level::info;
    case Weight::warning: return spdlog::level::warn;
    case Weight::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

} // namespace

std::string_view text(Weight weight) {
    switch (weight) {
    case Weight::info: return "info";
    case Weight::warning: return "warning";
    case Weight::error: return "error";
    }
    return "";
}

void Journal::say(Weight weight, const std::string& text) {
    spdlog::log(level_of(weight), "{}", text);
    recent_.push_back({std::chrono::system_clock::now(), weight, text});
    if (recent_.size() > most_entries) recent_.pop_front();
    if (listener_) listener_(recent_.back());
}

} // namespace natctl
