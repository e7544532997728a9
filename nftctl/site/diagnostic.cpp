// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/diagnostic.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace natctl {

std::string_view text(Severity severity) {
    switch (severity) {
    case Severity::error: return "error";
    case Severity::warning: return "warning";
    case Severity::note: return "note";
    }
    return {};
}

void Diagnostics::error(Position at, std::string message, std::string remedy) {
    assert(!remedy.empty());
    list_.push_back({Severity::error, at, std::move(message), std::move(remedy)});
    ++errors_;
}

void Diagnostics::warning(Position at, std::string message, std::string remedy) {
    assert(!remedy.empty());
    list_.push_back({Severity::warning, at, std::move(message), std::move(remedy)});
}

void Diagnostics::note(Position at, std::string message, std::string remedy) {
    list_.push_back({Severity::note, at, std::move(message), std::move(remedy)});
}

std::vector<Diagnostic> Diagnostics::take() {
    std::ranges::stable_sort(list_, {}, &Diagnostic::at);
    errors_ = 0;
    return std::exchange(list_, {});
}

} // namespace natctl
