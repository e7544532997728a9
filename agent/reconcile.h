// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace natctl {

/// Why the kernel may not hold what it should.
enum class Cause : std::uint8_t {
    /// site.toml may say something else: it is read again.
    start,
    request,
    site_file,
    /// The facts may be others.
    link,
    address,
    names,
    /// Of what [intercept] excepts.
    guard,
    white_list,
    /// What is applied, by whomever.
    applied,
    /// Somebody changed what is ours.
    table,
    route,
    rule,
    /// Nothing is known to have happened.
    missed_events,
    full_check,
    retry,
};

/// "an address changed"
std::string_view words_for(Cause cause);

/// A few of them.
class Causes {
public:
    void add(Cause cause) { bits_ |= bit(cause); }
    void add(const Causes& others) { bits_ |= others.bits_; }
    bool has(Cause cause) const { return (bits_ & bit(cause)) != 0; }
    bool empty() const { return bits_ == 0; }
    /// Reading site.toml is asked for.
    bool ask_for_reload() const { return has(Cause::start) || has(Cause::request) || has(Cause::site_file); }
    /// None of them explains a difference where the facts are as they were: others made it.
    bool mean_drift() const {
        const auto innocent = bit(Cause::white_list) | bit(Cause::applied) | bit(Cause::table) | bit(Cause::route) |
                              bit(Cause::rule) | bit(Cause::missed_events) | bit(Cause::full_check) | bit(Cause::retry);
        return !empty() && (bits_ & ~innocent) == 0;
    }
    /// The weightiest of them, for people.
    Cause first() const;
    bool operator==(const Causes&) const = default;

private:
    static constexpr std::uint32_t bit(Cause cause) { return 1U << static_cast<unsigned>(cause); }

    std::uint32_t bits_ = 0;
};

/// Decides when the agent looks at the kernel and when it reads site.toml. Knows neither: it is told of events and of
/// what a look came to, each with the time.
///
/// The first event is acted upon at once. While more come, looks keep a distance of twice the time that the last one
/// took, up to a second, so that a storm of events takes a third of a core.
class Reconciler {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    struct Limits {
        Duration shortest_distance = std::chrono::milliseconds(10);
        /// Also after one that took very long, as the first one of a large site does.
        Duration longest_distance = std::chrono::seconds(1);
        /// Editors write a file in several steps: read it when nothing has happened to it for so long, and not later
        /// than `longest_settling` after the first step.
        Duration settling = std::chrono::milliseconds(100);
        Duration longest_settling = std::chrono::seconds(1);
        Duration full_check = std::chrono::seconds(60);
        /// After a failure; doubles with each further one.
        Duration first_retry = std::chrono::milliseconds(200);
        Duration last_retry = std::chrono::seconds(30);
        /// So often what others took away is put back at once; from then on once in `patience`.
        unsigned repairs_at_once = 5;
        Duration patience = std::chrono::seconds(10);
    };

    Reconciler(Limits limits, Time now);

    /// Where another configuration was applied, no reload is repeated.
    void note(Cause cause, Time now);

    enum class What : std::uint8_t { wait, look, reload };
    struct Step {
        What what = What::wait;
        /// Of look and reload.
        Causes causes = {};
        /// Of wait: when to ask again, at the latest.
        Time until = {};
    };
    /// What to do now. The causes of a look or reload are taken up with it.
    Step step(Time now);

    enum class Result : std::uint8_t {
        nothing_to_do,
        /// What the kernel should hold is something else now.
        changed,
        /// It should hold the same as before, and did not.
        repaired,
        failed,
    };
    enum class Fight : std::uint8_t {
        none,
        /// This repair is the one after which it can no longer be chance.
        begins,
        goes_on,
    };
    /// What a look or reload came to. A reload that failed is repeated as one, and looks go on between its attempts.
    /// Says whether another program undoes what is put back again and again.
    Fight done(const Causes& causes, Result result, Time began, Time ended);

    /// True once after each fight: nobody has changed anything since for some time.
    bool fight_is_over(Time now);
    bool fighting() const { return fighting_; }

private:
    /// When the events noted so far call for a look; that of the file calls for a reload.
    Time look_due(Time now) const;
    Time file_due() const;
    void refill(Time now);

    Limits limits_;
    /// But for site_file.
    Causes causes_;
    Time not_before_;
    Time full_check_;
    /// Of the file, since it was read last.
    std::optional<Time> first_write_;
    Time last_write_{};
    std::optional<Time> retry_;
    Duration next_retry_;
    /// The retry is to be a reload.
    bool reload_failed_ = false;
    /// What is left of repairs_at_once, and when it was reckoned up.
    unsigned repairs_;
    Time reckoned_;
    bool fighting_ = false;
};

} // namespace natctl
