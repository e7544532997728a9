// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/plan/trace_story.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "nftctl/plan/render.h"

namespace natctl::nft {

void Story::say(std::string text) {
    (of_answer_ ? answer_ : steps_).push_back({std::move(text), std::exchange(effects_, {})});
}

void Story::took_effect(const std::string& chain, const Rule& rule) {
    auto text = fmt::format("{}: {}", chain, render(rule));
    if (effects_.empty() || effects_.back() != text) effects_.push_back(std::move(text));
}

void Story::doubt(std::string text) {
    if (std::ranges::find(doubts_, text) == doubts_.end()) doubts_.push_back(std::move(text));
}

void Story::comes_through(Fate fate, std::string text) {
    ending_ = {.fate = fate};
    say(std::move(text));
}

void Story::ends(Ending ending) {
    ending_ = std::move(ending);
    auto text = fmt::format("{}: {}", name_of(ending_.fate), ending_.reason);
    if (!ending_.sender_sees.empty()) text += fmt::format(" ({})", ending_.sender_sees);
    say(std::move(text));
}

void Story::tell(Trace& trace) {
    trace.steps = std::move(steps_);
    trace.answer = std::move(answer_);
    trace.doubts = std::move(doubts_);
}

} // namespace natctl::nft
