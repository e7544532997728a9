// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/agent.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <set>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "agent/change_words.h"
#include "nftctl/base/error.h"
#include "nftctl/base/program.h"
#include "nftctl/base/run_files.h"
#include "nftctl/kernel/guards.h"
#include "nftctl/kernel/link_file.h"
#include "nftctl/kernel/nftables.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/plan/compile.h"

namespace natctl {

namespace {

using Clock = Loop::Clock;

Fd lock_instance(const std::string& run_dir) {
    make_directory(run_dir);
    const std::string path = run_dir + "/" + run_files::agent_lock;
    Fd lock(check(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open", path));
    // Others hold it for a moment, to see whether an agent runs.
    constexpr int attempts = 10;
    constexpr std::chrono::milliseconds pause(20);
    int result = -1;
    for (int i = 0; i < attempts && (result = ::flock(lock.get(), LOCK_EX | LOCK_NB)) < 0 && errno == EWOULDBLOCK; ++i)
        std::this_thread::sleep_for(pause);
    if (result < 0)
        throw SystemError("lock", path, errno,
                          errno == EWOULDBLOCK ? "another natctl-agent works in " + run_dir : std::string());
    return lock;
}

Fd open_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int number : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&signals, number);
    check(::sigprocmask(SIG_BLOCK, &signals, nullptr), "block", "signals");
    return Fd(check(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK), "create", "a signalfd"));
}

void remember(std::vector<std::string>& list, const std::string& text) {
    if (!text.empty() && std::ranges::find(list, text) == list.end()) list.push_back(text);
}

/// Those that a plan is made of, so that what is gone although they are as before was taken away by somebody.
/// Lifetimes pass by themselves.
Facts deciding(const Site& site, Facts facts) {
    for (auto& entry : facts.white_now) entry.lifetime.reset();
    std::set<std::string> names(site.lan.begin(), site.lan.end());
    names.insert(site.white_list.interfaces.begin(), site.white_list.interfaces.end());
    for (const auto& name : link_interfaces(site)) names.insert(name);
    std::erase_if(facts.interfaces, [&](const Interface& interface) { return !names.contains(interface.name); });
    return facts;
}

} // namespace

Agent::Agent(AgentOptions options)
    : options_(std::move(options)),
      manager_(Clock::now()),
      instance_(lock_instance(options_.session.run_dir)),
      signals_(open_signals()),
      links_(options_.links),
      prober_(loop_, [this](const PeerLink& link) { links_.answered(link, Clock::now()); }),
      tunnel_(loop_, options_.session.run_dir + "/" + run_files::tunnel_status),
      names_({.grace = options_.name_grace}),
      resolver_(loop_, [this](const Question& question,
                              const NameAnswer& answer) { names_.answer(question, answer, Clock::now()); }),
      standing_{.find = [this](const Site& site) { return look_up_endpoints(site); },
                .tables = std::make_shared<nft::Nftables>()},
      upkeep_(options_.session,
              {.find = [this](const Site& site) { return follow_endpoints(site); }, .tables = standing_.tables},
              [this](const Site& site, Facts& facts) { adjust(site, facts); }),
      reconciler_({}, Clock::now()),
      children_(loop_, options_.session, journal_),
      control_(loop_, options_.session.run_dir + "/" + run_files::agent_socket, options_.group,
               control::hello(options_.session.config, options_.session.state_dir),
               [this](std::string_view line, uid_t user) { return answer(line, user); }),
      status_(loop_, options_.session, options_.group, journal_, tunnel_,
              {.fill_in =
                   [this](View& view) {
                       view.state = state();
                       view.site = site_;
                       view.facts = facts_;
                   },
               .set_sizes = [this] { return upkeep_.set_sizes(); }}),
      began_(Clock::now()) {
    journal_.listen([this](const JournalEntry& entry) { control_.tell(control::event(entry)); });
    loop_.watch(signals_.get(), EPOLLIN, [this](std::uint32_t) { take_signals(); });
    loop_.watch(route_events_.fd(), EPOLLIN, [this](std::uint32_t) { take(route_events_.take()); });
    loop_.watch(table_events_.fd(), EPOLLIN, [this](std::uint32_t) {
        take(table_events_.take());
        if (const auto& foreign = table_events_.foreign()) upkeep_.follow(foreign->first, foreign->last);
    });
    loop_.watch(files_.fd(), EPOLLIN, [this](std::uint32_t) { take_files(); });
    // Before anything is read, so that no change is missed.
    make_directory(options_.session.state_dir);
    watch_files();
    failed_links_ = read_failed_links(options_.session.run_dir);
    links_.inherit(failed_links_);
}

int Agent::run() {
    Causes start;
    start.add(Cause::start);
    act({.what = Reconciler::What::reload, .causes = start});
    // With a configuration that has mistakes there is something to keep up only where one was applied before.
    if (failure().empty() && !site_) return exit_error;
    manager_.tell("READY=1");
    while (!ended_) {
        const auto now = Clock::now();
        manager_.tend(now);
        if (reconciler_.fight_is_over(now)) journal_.say(Weight::info, "nobody has undone natctl's work for a while");
        tend_names();
        tend_links();
        children_.tend(now);
        status_.tend(now);
        const auto step = reconciler_.step(now);
        if (step.what == Reconciler::What::wait)
            loop_.wait(std::min({step.until, links_due(), names_.due(), resolver_.due(), children_.due(),
                                 manager_.due(), status_.due()}));
        else
            act(step);
    }
    manager_.tell("STOPPING=1");
    stop_children();
    return exit_done;
}

void Agent::stop_children() {
    children_.stop();
    while (children_.runs()) {
        children_.tend(Clock::now());
        loop_.wait(children_.due());
    }
}

std::set<std::string> Agent::watch_files() {
    const StatePaths state(options_.session.state_dir);
    std::vector<std::string> paths{state.applied, state.on_trial, state.trial,
                                   options_.session.run_dir + "/white_list"};
    if (options_.watch_site) {
        paths.push_back(options_.session.config);
        paths.insert(paths.end(), maps_files_.begin(), maps_files_.end());
    }
    paths.insert(paths.end(), guard_files_.begin(), guard_files_.end());
    auto more = files_.set(paths);
    if (const auto text = files_.take_failure(); !text.empty()) journal_.say(Weight::warning, text);
    return more;
}

void Agent::take_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP)
            reconciler_.note(Cause::request, Clock::now());
        else
            ended_ = true;
    }
}

void Agent::take_files() {
    const auto changed = files_.take();
    // A directory may have come anew, or a link lead elsewhere.
    if (!changed.empty()) watch_files();
    take(changed);
}

void Agent::take(const std::set<std::string>& files) {
    const auto now = Clock::now();
    for (const auto& path : files) {
        if (path == options_.session.config || std::ranges::find(maps_files_, path) != maps_files_.end())
            reconciler_.note(Cause::site_file, now);
        else if (path == options_.session.run_dir + "/white_list")
            reconciler_.note(Cause::white_list, now);
        else if (std::ranges::find(guard_files_, path) != guard_files_.end())
            reconciler_.note(Cause::guard, now);
        else
            note_applied();
    }
}

void Agent::take(const std::vector<KernelEvent>& events) {
    const auto now = Clock::now();
    for (const auto& event : events) {
        reconciler_.note(event.cause, now);
        if (event.cause == Cause::link || event.cause == Cause::address) names_.network_changed();
        remember(heard_, event.what);
        remember(authors_, event.by);
    }
}

void Agent::act(const Reconciler::Step& step) {
    const auto began = Clock::now();
    auto result = Reconciler::Result::failed;
    // A directory may have come that could not be watched.
    if (step.causes.has(Cause::full_check)) take(watch_files());
    try {
        result = step.what == Reconciler::What::reload ? reload() : look(step.causes);
        failure_.clear();
    } catch (const std::exception& error) {
        tell_failure(failure_, error.what());
    }
    status_.looked(Clock::now() - began, result == Reconciler::Result::failed);
    status_.follow(site_);
    const auto fight = reconciler_.done(step.causes, result, began, Clock::now());
    if (fight == Reconciler::Fight::begins)
        journal_.say(Weight::error,
                     fmt::format("{} undoes natctl's work again and again: from now on it is put back every few "
                                 "seconds only; `nft monitor` and `ip monitor rule` show who it is",
                                 authors_.empty() ? "another program" : few_of(authors_)));
    heard_.clear();
    authors_.clear();
    tell_manager();
}

Reconciler::Result Agent::reload() {
    std::optional<Transaction> change;
    try {
        change = read_again();
        reload_failure_.clear();
    } catch (const std::exception& error) {
        tell_failure(reload_failure_, error.what());
    }
    // What is applied is kept up, whatever became of the file.
    Causes causes;
    causes.add(Cause::request);
    look(causes);
    if (!reload_failure_.empty()) return Reconciler::Result::failed;
    return change && !change->empty() ? Reconciler::Result::changed : Reconciler::Result::nothing_to_do;
}

std::optional<Transaction> Agent::read_again() {
    auto done = apply_again(options_.session, standing_);
    maps_files_ = std::move(done.maps_files);
    watch_files();
    secrets_again_ = done.change.has_value();
    if (!done.change) {
        journal_.say(Weight::error,
                     options_.session.config + " has mistakes, the former state stays: `natctl check` names them");
    } else {
        tell_applied("applied " + options_.session.config, *done.change);
    }
    return std::move(done.change);
}

void Agent::tell_applied(const std::string& how, const Transaction& change) {
    if (change.empty()) return;
    ++changes_;
    journal_.say(Weight::info, fmt::format("{}: {}", how, words_for(change)));
}

Reconciler::Result Agent::look(const Causes& causes) {
    auto look = look_at_kernel(!causes.mean_drift() || causes.has(Cause::full_check));
    ++looks_;
    if (look.site) {
        remember_endpoints();
    } else {
        names_.set({}, {});
        endpoint_names_.clear();
        adjust({}, look.facts);
    }
    if (look.mirror_refusal.empty())
        mirror_failure_.clear();
    else
        tell_failure(mirror_failure_, look.mirror_refusal);
    auto facts = look.site ? deciding(*look.site, std::move(look.facts)) : Facts();
    for (const auto& text : links_.messages()) journal_.say(Weight::warning, text);
    const bool as_before = look.site && look.site == site_ && facts == facts_;
    if (look.site != site_) {
        guard_files_ = look.site ? guard_files(*look.site) : std::vector<std::string>();
        watch_files();
    }
    site_ = look.site;
    children_.follow(site_, std::exchange(secrets_again_, false));
    facts_ = std::move(facts);
    if (look.change.empty()) return Reconciler::Result::nothing_to_do;
    ++changes_;
    const bool others_did_it = as_before && causes.mean_drift();
    if (others_did_it) ++repairs_;
    tell(causes, look, others_did_it);
    return as_before ? Reconciler::Result::repaired : Reconciler::Result::changed;
}

void Agent::tell(const Causes& causes, const Upkeep::Look& look, bool others_did_it) {
    const auto what = words_for(look.change);
    if (others_did_it)
        journal_.say(Weight::warning, fmt::format("{} took away what is natctl's, put back: {}",
                                                  authors_.empty() ? "another program" : few_of(authors_), what));
    else
        journal_.say(Weight::info, fmt::format("{}{}: {}", words_for(causes.first()),
                                               heard_.empty() ? "" : " (" + few_of(heard_) + ")", what));
}

Upkeep::Look Agent::look_at_kernel(bool thorough) {
    // An interface or address may have gone while the plan was made: it is made again before a link is blamed.
    std::optional<Route> former;
    int hasty = 0;
    constexpr int most_hasty = 10;
    while (true) {
        try {
            auto look = upkeep_.look(thorough);
            links_.routes_taken(Clock::now());
            return look;
        } catch (const RouteRefused& refusal) {
            const bool again = former == refusal.route();
            former = refusal.route();
            // Each link can be blamed once for each IP version.
            if (again ? !refuse_links(refusal) : ++hasty > most_hasty) throw;
            if (again) hasty = 0;
        }
    }
}

void Agent::note_applied() {
    reconciler_.note(Cause::applied, Clock::now());
    // What is applied now is somebody's wish, and a file that was refused before is none any more.
    reload_failure_.clear();
}

void Agent::tell_failure(std::string& last, const std::string& what) {
    if (what != last) journal_.say(Weight::error, what + "; it is tried again");
    last = what;
}

const std::string& Agent::failure() const {
    for (const auto* text : {&failure_, &reload_failure_, &mirror_failure_, &end_failure_, &links_failure_})
        if (!text->empty()) return *text;
    return names_failure_;
}

void Agent::tell_manager() {
    const auto state = site_ ? "keeps site " + site_->name : std::string("nothing is applied");
    auto text = "STATUS=" + (failure().empty() ? state : failure());
    if (text == told_) return;
    manager_.tell(text);
    told_ = std::move(text);
}

} // namespace natctl
