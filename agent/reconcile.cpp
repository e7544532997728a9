// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/reconcile.h"

#include <algorithm>

namespace natctl {

std::string_view words_for(Cause cause) {
    switch (cause) {
    case Cause::start: return "start";
    case Cause::request: return "on request";
    case Cause::site_file: return "the configuration was changed";
    case Cause::link: return "an interface changed";
    case Cause::address: return "an address changed";
    case Cause::names: return "a name has other addresses";
    case Cause::guard: return "a user or control group is another one";
    case Cause::white_list: return "the white list was changed";
    case Cause::applied: return "another configuration was applied";
    case Cause::table: return "the table was changed";
    case Cause::route: return "a route went";
    case Cause::rule: return "a rule went";
    case Cause::missed_events: return "events were missed";
    case Cause::full_check: return "full check";
    case Cause::retry: return "once more";
    }
    return "";
}

Cause Causes::first() const {
    for (unsigned i = 0; i <= static_cast<unsigned>(Cause::retry); ++i)
        if (has(static_cast<Cause>(i))) return static_cast<Cause>(i);
    return Cause::retry;
}

Reconciler::Reconciler(Limits limits, Time now)
    : limits_(limits),
      not_before_(now),
      full_check_(now + limits.full_check),
      next_retry_(limits.first_retry),
      repairs_(limits.repairs_at_once),
      reckoned_(now) {}

void Reconciler::note(Cause cause, Time now) {
    if (cause == Cause::applied) reload_failed_ = false;
    if (cause != Cause::site_file) {
        causes_.add(cause);
        return;
    }
    last_write_ = now;
    if (!first_write_) first_write_ = now;
}

Reconciler::Time Reconciler::look_due(Time now) const {
    auto due = std::min(full_check_, retry_.value_or(Time::max()));
    if (!causes_.empty()) due = now;
    // Where somebody fights, only what the facts ask for is done at once.
    const bool drift = causes_.empty() ? !retry_ : causes_.mean_drift();
    if (fighting_ && drift && repairs_ == 0) due = std::max(due, reckoned_ + limits_.patience);
    return due;
}

Reconciler::Time Reconciler::file_due() const {
    if (!first_write_) return Time::max();
    return std::min(last_write_ + limits_.settling, *first_write_ + limits_.longest_settling);
}

Reconciler::Step Reconciler::step(Time now) {
    refill(now);
    const auto look = look_due(now);
    const auto due = std::max(std::min(look, file_due()), not_before_);
    if (due > now) return {.what = What::wait, .until = due};
    Step step{.what = What::look, .causes = {}, .until = now};
    if (file_due() <= now) {
        step.causes.add(Cause::site_file);
        first_write_.reset();
    }
    if (look <= now) {
        step.causes.add(causes_);
        causes_ = {};
        if (now >= full_check_) step.causes.add(Cause::full_check);
        if (retry_ && now >= *retry_) step.causes.add(reload_failed_ ? Cause::request : Cause::retry);
    }
    if (step.causes.ask_for_reload()) step.what = What::reload;
    return step;
}

Reconciler::Fight Reconciler::done(const Causes& causes, Result result, Time began, Time ended) {
    not_before_ =
        ended + std::clamp<Duration>(2 * (ended - began), limits_.shortest_distance, limits_.longest_distance);
    full_check_ = ended + limits_.full_check;
    if (result == Result::failed) {
        reload_failed_ = reload_failed_ || causes.ask_for_reload();
        retry_ = ended + next_retry_;
        next_retry_ = std::min(2 * next_retry_, limits_.last_retry);
        return fighting_ ? Fight::goes_on : Fight::none;
    }
    // A look that went well says nothing of the file.
    if (causes.ask_for_reload()) reload_failed_ = false;
    if (!reload_failed_) {
        retry_.reset();
        next_retry_ = limits_.first_retry;
    }
    if (result != Result::repaired || !causes.mean_drift()) return Fight::none;
    refill(ended);
    // The time of the next one counts from the first that is used up.
    if (repairs_ == limits_.repairs_at_once) reckoned_ = ended;
    if (repairs_ != 0) --repairs_;
    if (repairs_ != 0) return fighting_ ? Fight::goes_on : Fight::none;
    const bool began_now = !fighting_;
    fighting_ = true;
    return began_now ? Fight::begins : Fight::goes_on;
}

void Reconciler::refill(Time now) {
    while (repairs_ < limits_.repairs_at_once && now - reckoned_ >= limits_.patience) {
        ++repairs_;
        reckoned_ += limits_.patience;
    }
}

bool Reconciler::fight_is_over(Time now) {
    refill(now);
    if (!fighting_ || repairs_ < limits_.repairs_at_once) return false;
    fighting_ = false;
    return true;
}

} // namespace natctl
