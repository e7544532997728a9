// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/agent.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
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
#include "nftctl/kernel/link_file.h"
#include "nftctl/kernel/nftables.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/site/each_link.h"

namespace natctl {

namespace {

using Clock = Loop::Clock;

/// What is said of one look, at most.
constexpr std::size_t most_words = 5;

Fd lock_instance(const std::string& run_dir) {
    make_directory(run_dir);
    const std::string path = run_dir + "/" + run_files::agent_lock;
    Fd lock(check(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open", path));
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) < 0)
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

std::string joined(const std::vector<std::string>& list) {
    const auto shown = std::min(list.size(), most_words);
    auto text = fmt::format("{}", fmt::join(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    if (list.size() > shown) text += fmt::format(" and {} more", list.size() - shown);
    return text;
}

/// Lifetimes pass by themselves.
Facts without_lifetimes(Facts facts) {
    for (auto& entry : facts.white_now) entry.lifetime.reset();
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
      standing_{.find = [this](const Site& site) { return find_endpoints(site, true); },
                .tables = std::make_shared<nft::Nftables>()},
      upkeep_(options_.session,
              {.find = [this](const Site& site) { return find_endpoints(site, false); }, .tables = standing_.tables},
              [this](const Site& site, Facts& facts) { adjust(site, facts); }),
      reconciler_({}, Clock::now()),
      children_(loop_, options_.session, journal_),
      control_(loop_, options_.session.run_dir + "/" + run_files::agent_socket, options_.group,
               control::hello(options_.session.config, options_.session.state_dir),
               [this](std::string_view line, bool from_root) { return answer(line, from_root); }),
      status_(loop_, options_.session, options_.group, journal_, tunnel_,
              [this](View& view) {
                  view.state = state();
                  view.site = site_;
                  view.facts = facts_;
              }),
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
    // Another agent's.
    write_out_of_use(options_.session.run_dir, {});
}

int Agent::run() {
    Causes start;
    start.add(Cause::start);
    act({.what = Reconciler::What::reload, .causes = start});
    // With a configuration that has mistakes there is something to keep up only where one was applied before.
    if (failure_.empty() && !site_) return exit_error;
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

void Agent::watch_files() {
    const StatePaths state(options_.session.state_dir);
    std::vector<std::string> paths{state.applied, state.on_trial, state.trial,
                                   options_.session.run_dir + "/white_list"};
    if (options_.watch_site) {
        paths.push_back(options_.session.config);
        paths.insert(paths.end(), maps_files_.begin(), maps_files_.end());
    }
    files_.set(paths);
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
    const auto now = Clock::now();
    for (const auto& path : changed) {
        if (path == options_.session.config || std::ranges::find(maps_files_, path) != maps_files_.end())
            reconciler_.note(Cause::site_file, now);
        else if (path == options_.session.run_dir + "/white_list")
            reconciler_.note(Cause::white_list, now);
        else
            reconciler_.note(Cause::applied, now);
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

Clock::time_point Agent::links_due() const {
    // What was taken note of waits for its turn.
    constexpr std::chrono::milliseconds pause(100);
    const auto now = Clock::now();
    auto due = std::min(links_.due(now), tunnel_.due());
    if (links_.asks_for_proxies()) due = std::min(due, ask_tunnel_at_);
    return links_noted_ ? std::max(due, now + pause) : due;
}

void Agent::tend_links() {
    const auto now = Clock::now();
    for (const auto& probe : links_.probes(now)) prober_.send(probe);
    if (const auto text = prober_.take_failure(); !text.empty()) journal_.say(Weight::warning, text);
    tunnel_.tend(now);
    if (links_.asks_for_proxies() && now >= ask_tunnel_at_) {
        constexpr std::chrono::milliseconds pause(300);
        ask_tunnel_at_ = now + pause;
        tunnel_.ask([this](const std::optional<TunnelReport>& report) { take_report(report); });
    }
    if (!links_noted_ && links_.has_news(now)) {
        links_noted_ = true;
        reconciler_.note(Cause::link, now);
    }
    if (const auto peers = links_.ended(now); !peers.empty() && site_) end_flows(peers);
}

void Agent::adjust(const Site& site, Facts& facts) {
    links_.adjust(site, facts, Clock::now());
    links_noted_ = false;
    if (facts.out_of_use == out_of_use_) return;
    out_of_use_ = facts.out_of_use;
    try {
        write_out_of_use(options_.session.run_dir, out_of_use_);
    } catch (const SystemError& error) {
        journal_.say(Weight::warning, error.what());
    }
}

void Agent::take_report(const std::optional<TunnelReport>& report) {
    // A busy machine is no failure.
    constexpr unsigned most_silent = 2;
    std::map<Endpoint, std::string> down;
    tunnel_silent_ = report ? 0 : tunnel_silent_ + 1;
    if (!report && (tunnel_silent_ < most_silent || !site_)) return;
    if (!report)
        for_each_link<SocksLink>(*site_, [&](const Peer&, const SocksLink& link) {
            down.emplace(link.server, "natctl-tunnel does not answer");
        });
    else
        for (const auto& proxy : report->proxies)
            if (const auto server = Endpoint::parse(proxy.server); server && !proxy.up)
                down.emplace(*server, "natctl-tunnel says: " + proxy.cause);
    links_.proxies_are(std::move(down));
}

void Agent::end_flows(const std::vector<std::string>& peers) {
    const auto end = std::chrono::ceil<std::chrono::seconds>(options_.links.end).count();
    try {
        const auto count = upkeep_.end_flows(*site_, peers);
        journal_.say(Weight::warning, fmt::format("no link to {} for {} s: {} open flows are ended",
                                                  fmt::join(peers, ", "), end, count));
    } catch (const SystemError& error) {
        journal_.say(Weight::warning, error.what());
    }
}

void Agent::tend_names() {
    resolver_.tend();
    const auto now = Clock::now();
    for (const auto& question : names_.questions(now)) resolver_.ask(question);
    tell_names();
    if (auto endpoints = names_.endpoints(now); endpoints != noticed_) {
        noticed_ = std::move(endpoints);
        reconciler_.note(Cause::names, now);
    }
}

void Agent::tell_names() {
    for (const auto& [warning, text] : names_.messages()) journal_.say(warning ? Weight::warning : Weight::info, text);
}

Endpoints Agent::find_endpoints(const Site& site, bool wait) {
    auto names = endpoint_names(site);
    if (names != endpoint_names_) {
        auto known = read_endpoints(options_.session.state_dir);
        std::vector<std::string> unknown;
        for (const auto& name : names)
            if (!known.contains(name)) unknown.push_back(name);
        constexpr std::chrono::seconds patience(2);
        if (wait && !unknown.empty()) known.merge(resolve(unknown, patience, look_up_host));
        names_.set(names, known);
        endpoint_names_ = std::move(names);
    }
    noticed_ = names_.endpoints(Clock::now());
    return noticed_;
}

void Agent::remember_endpoints() {
    if (noticed_ == remembered_) return;
    try {
        write_endpoints(options_.session.state_dir, noticed_);
    } catch (const SystemError& error) {
        journal_.say(Weight::warning, error.what());
    }
    remembered_ = noticed_;
}

void Agent::act(const Reconciler::Step& step) {
    const auto began = Clock::now();
    auto result = Reconciler::Result::failed;
    try {
        if (step.what == Reconciler::What::reload || reload_again_)
            result = reload();
        else
            result = look(step.causes);
        failure_.clear();
    } catch (const std::exception& error) {
        tell_failure(error.what());
    }
    status_.looked(Clock::now() - began, result == Reconciler::Result::failed);
    status_.follow(site_.get());
    const auto fight = reconciler_.done(step.causes, result, began, Clock::now());
    if (fight == Reconciler::Fight::begins)
        journal_.say(Weight::error,
                     fmt::format("{} undoes natctl's work again and again: from now on it is put back every few "
                                 "seconds only; `nft monitor` and `ip monitor rule` show who it is",
                                 authors_.empty() ? "another program" : joined(authors_)));
    heard_.clear();
    authors_.clear();
    tell_manager();
}

Reconciler::Result Agent::reload() {
    const auto change = read_again();
    Causes causes;
    causes.add(Cause::request);
    look(causes);
    return change && !change->empty() ? Reconciler::Result::changed : Reconciler::Result::nothing_to_do;
}

std::optional<Transaction> Agent::read_again() {
    reload_again_ = true;
    auto done = apply_again(options_.session, standing_);
    reload_again_ = false;
    maps_files_ = std::move(done.maps_files);
    watch_files();
    secrets_again_ = done.change.has_value();
    if (!done.change) {
        journal_.say(Weight::error,
                     options_.session.config + " has mistakes, the former state stays: `natctl check` names them");
    } else {
        tell_applied(options_.session.config, *done.change);
    }
    return std::move(done.change);
}

void Agent::tell_applied(const std::string& config, const Transaction& change) {
    if (change.empty()) return;
    ++changes_;
    journal_.say(Weight::info, fmt::format("applied {}: {}", config, words_for(change)));
}

Reconciler::Result Agent::look(const Causes& causes) {
    auto look = upkeep_.look(!causes.mean_drift() || causes.has(Cause::full_check));
    ++looks_;
    if (look.site) {
        remember_endpoints();
    } else {
        names_.set({}, {});
        endpoint_names_.clear();
    }
    auto facts = without_lifetimes(std::move(look.facts));
    for (const auto& text : links_.messages()) journal_.say(Weight::warning, text);
    const bool as_before = look.site && look.site == site_ && facts == facts_;
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
                                                  authors_.empty() ? "another program" : joined(authors_), what));
    else
        journal_.say(Weight::info, fmt::format("{}{}: {}", words_for(causes.first()),
                                               heard_.empty() ? "" : " (" + joined(heard_) + ")", what));
}

void Agent::tell_failure(const std::string& what) {
    if (what != failure_) journal_.say(Weight::error, what + "; it is tried again");
    failure_ = what;
}

void Agent::tell_manager() {
    auto text = "STATUS=" + (!failure_.empty() ? failure_ : site_ ? "keeps site " + site_->name : "nothing is applied");
    if (text == told_) return;
    manager_.tell(text);
    told_ = std::move(text);
}

} // namespace natctl
