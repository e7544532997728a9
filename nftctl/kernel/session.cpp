// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/session.h"

#include <cerrno>
#include <filesystem>
#include <thread>

#include <fmt/format.h>
#include <syslog.h>

#include "nftctl/base/error.h"
#include "nftctl/base/run_files.h"
#include "nftctl/kernel/apply.h"
#include "nftctl/kernel/ipset_mirror.h"
#include "nftctl/kernel/kept.h"
#include "nftctl/kernel/link_file.h"
#include "nftctl/kernel/linux_kernel.h"
#include "nftctl/kernel/nftables.h"
#include "nftctl/kernel/session_parts.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/kernel/trial.h"
#include "nftctl/plan/compile.h"
#include "nftctl/site/load.h"

namespace natctl {

namespace {

LoadResult load(const std::string& path, bool with_notes) {
    auto loaded = load_site(path);
    if (!with_notes) loaded.keep(Severity::warning);
    fmt::print(stderr, "{}", render(loaded, path));
    return loaded;
}

void end_trial(const StatePaths& paths) {
    remove_file(paths.trial);
    remove_file(paths.on_trial);
    remove_file(paths.refused);
    remove_unused(paths);
}

/// What the kernel holds now, unless somebody changed it.
std::optional<Site> read_applied(const StatePaths& paths) { return read_kept(path_of_applied(paths)); }

/// nullopt where that has mistakes as well: then the kernel is asked what it holds.
std::optional<Site> try_applied(const StatePaths& paths) {
    try {
        return read_applied(paths);
    } catch (const SystemError&) {
        return std::nullopt;
    }
}

bool agent_runs(const std::string& run_dir) { return is_locked(run_dir + "/" + run_files::agent_lock); }

std::unique_ptr<Kernel> make_kernel(const std::string& run_dir, const std::string& state_dir, Endpoints endpoints,
                                    const Standing& standing) {
    return make_linux_kernel({.endpoints = std::move(endpoints),
                              .white_now = [run_dir] { return read_run_time_entries(run_dir); },
                              .applied = [paths = StatePaths(state_dir)] { return try_applied(paths); },
                              .run_dir = run_dir,
                              .adjust =
                                  [run_dir](const Site&, Facts& facts) {
                                      if (agent_runs(run_dir)) believe(read_failed_links(run_dir), facts);
                                  },
                              .tables = standing.tables});
}

/// While the agent runs, it is the one who follows names: two resolvers need not have the same answer at the same time.
Endpoints endpoints_of(const Site& site, const std::string& run_dir, const std::string& state_dir,
                       const FindEndpoints& find) {
    if (find) return find(site);
    if (!agent_runs(run_dir)) return resolve_endpoints(site, state_dir);
    const auto known = read_endpoints(state_dir);
    Site rest;
    for (const auto& endpoint : site.white_list.endpoints)
        if (!known.contains(endpoint)) rest.white_list.endpoints.push_back(endpoint);
    constexpr std::chrono::seconds patience(2);
    auto endpoints = resolve(endpoint_names(rest), patience, look_up_host);
    for (const auto& name : endpoint_names(site))
        if (const auto item = known.find(name); item != known.end()) endpoints.insert(*item);
    return endpoints;
}

std::vector<std::string> maps_files_of(const LoadResult& loaded) {
    std::vector<std::string> paths;
    if (loaded.site)
        for (const auto& file : loaded.site->maps_files) paths.push_back(file.path);
    else
        for (const auto& file : loaded.maps_files) paths.push_back(file.path);
    return paths;
}

/// `text` is the site's, as keep() made it.
Applied apply_confirmed(Kernel& kernel, const std::string& state_dir, const Site& site, const std::string& text) {
    const StatePaths paths(state_dir);
    // On the disk before the kernel changes: a disk that is full is no reason to have done half of it.
    std::optional<PreparedFile> file;
    if (read_text(paths.applied) != text) file.emplace(paths.applied, text);
    auto change = apply_and_mirror(kernel, site, state_dir);
    if (file) file->publish();
    end_trial(paths);
    return {.change = std::move(change), .warnings = advice(site, kernel.read_facts(site))};
}

/// To what a file in the state directory says.
Transaction apply_kept(const std::string& run_dir, const std::string& state_dir, const std::string& path,
                       const Standing& standing) {
    const auto site = read_kept(path);
    if (site) {
        auto endpoints = endpoints_of(*site, run_dir, state_dir, standing.find);
        return apply_and_mirror(*make_kernel(run_dir, state_dir, std::move(endpoints), standing), *site, state_dir);
    }
    auto change = take_down(*make_linux_kernel({.tables = standing.tables}));
    remove_ipset_mirror(state_dir);
    return change;
}

Transaction roll_back_locked(const std::string& run_dir, const std::string& state_dir, const Standing& standing) {
    const StatePaths paths(state_dir);
    auto change = apply_kept(run_dir, state_dir, paths.applied, standing);
    move_file(paths.on_trial, paths.refused);
    remove_file(paths.trial);
    return change;
}

/// By whoever owns the table: it looks at the files. Until then this waits, and does it should that one end before.
void have_owner_roll_back(const std::string& run_dir, const std::string& state_dir) {
    constexpr std::chrono::milliseconds pause(200);
    const StatePaths paths(state_dir);
    while (true) {
        std::this_thread::sleep_for(pause);
        const ApplyLock lock(run_dir);
        if (read_trial(paths)) return;
        if (nft::Nftables().is_anothers()) {
            const auto site = read_kept(paths.applied);
            if (!site || !pending(*make_kernel(run_dir, state_dir, read_endpoints(state_dir), {}), *site).empty())
                continue;
        } else {
            apply_kept(run_dir, state_dir, paths.applied, {});
        }
        return;
    }
}

/// Its process calls this; the directories are absolute.
void end_of_time(const std::string& run_dir, const std::string& state_dir, const Trial& trial) {
    std::optional<ApplyLock> lock(run_dir);
    const StatePaths paths(state_dir);
    const auto now = read_trial(paths);
    // Confirmed while we waited for the lock.
    if (!now || now->deadline != trial.deadline) return;
    if (nft::Nftables().is_anothers()) {
        move_file(paths.on_trial, paths.refused);
        remove_file(paths.trial);
        lock.reset();
        have_owner_roll_back(run_dir, state_dir);
    } else {
        roll_back_locked(run_dir, state_dir, {});
    }
    ::syslog(LOG_NOTICE, "nobody confirmed the configuration on trial: the former one is back");
}

} // namespace

std::string path_of_applied(const StatePaths& paths) {
    const auto trial = read_trial(paths);
    const bool on_trial = trial && !state_of(*trial, boot_clock(), boot_id()).restarted;
    return on_trial ? paths.on_trial : paths.applied;
}

Transaction apply_and_mirror(Kernel& kernel, const Site& site, const std::string& state_dir, OtherLifetime other) {
    check_ipset_mirror(site);
    const Compiler compiler(site);
    auto change = apply(kernel, compiler, warn_on_stderr, other);
    update_ipset_mirror(site, compiler.maps(), kernel.read_facts(site), state_dir);
    return change;
}

std::optional<Site> read_site(const std::string& path, bool with_notes) { return load(path, with_notes).site; }

std::unique_ptr<Kernel> open_kernel(const Options& options, const Site& site, const Standing& standing) {
    auto endpoints = endpoints_of(site, options.run_dir, options.state_dir, standing.find);
    return make_kernel(options.run_dir, options.state_dir, std::move(endpoints), standing);
}

std::optional<Applied> apply_file(const Options& options, const Standing& standing) {
    auto wanted = load(options.config, false);
    if (!wanted.site) return std::nullopt;
    const auto kernel = open_kernel(options, *wanted.site, standing);
    const ApplyLock lock(options.run_dir);
    const StatePaths paths(options.state_dir);
    return apply_confirmed(*kernel, options.state_dir, *wanted.site, keep(wanted, paths));
}

std::optional<Applied> apply_on_trial(const Options& options, std::chrono::seconds time, const Standing& standing) {
    auto wanted = load(options.config, false);
    if (!wanted.site) return std::nullopt;
    const auto kernel = open_kernel(options, *wanted.site, standing);
    // The process that waits leaves the working directory.
    const std::string run_dir = std::filesystem::absolute(options.run_dir).string();
    const std::string state_dir = std::filesystem::absolute(options.state_dir).string();
    const StatePaths paths(state_dir);
    const ApplyLock lock(run_dir);
    if (const auto other = read_trial(paths); other && !state_of(*other, boot_clock(), boot_id()).restarted)
        throw SystemError("begin", "a trial", EBUSY,
                          "another configuration is on trial: `natctl confirm` keeps it, `natctl rollback` ends it");

    // All that returns to the former state stands before the first step away from it.
    const Trial trial{.deadline = boot_clock() + time, .boot = boot_id()};
    remove_file(paths.trial);
    PreparedFile(paths.on_trial, keep(wanted, paths)).publish();
    try {
        start_trial(run_dir, paths, trial.deadline, [=] { end_of_time(run_dir, state_dir, trial); });
        auto change = apply_and_mirror(*kernel, *wanted.site, state_dir);
        return Applied{.change = std::move(change), .warnings = advice(*wanted.site, kernel->read_facts(*wanted.site))};
    } catch (...) {
        remove_file(paths.trial);
        remove_file(paths.on_trial);
        throw;
    }
}

void confirm(const Options& options) {
    const ApplyLock lock(options.run_dir);
    const StatePaths paths(options.state_dir);
    const auto trial = read_trial(paths);
    if (!trial)
        throw SystemError("confirm", "the configuration", ENOENT,
                          "nothing is on trial; `natctl apply --confirm 60` begins a trial");
    if (state_of(*trial, boot_clock(), boot_id()).restarted)
        throw SystemError("confirm", "the configuration", ENOENT,
                          "the machine was started again since, which ended the trial; `natctl apply` applies it");
    move_file(paths.on_trial, paths.applied);
    end_trial(paths);
}

Transaction roll_back(const Options& options, const Standing& standing) {
    const ApplyLock lock(options.run_dir);
    return roll_back_locked(options.run_dir, options.state_dir, standing);
}

std::optional<Transaction> change_run_time_list(const Options& options, const EditRunTimeList& edit,
                                                const Standing& standing) {
    const ApplyLock lock(options.run_dir);
    const auto site = read_applied(StatePaths(options.state_dir));
    if (!site || !nft::Nftables().exists()) return std::nullopt;
    const auto former = read_run_time_list(options.run_dir);
    write_run_time_list(options.run_dir, edit(*site, former));
    try {
        // Names keep the addresses that they had last: this change is about others.
        const auto kernel =
            make_kernel(options.run_dir, options.state_dir, read_endpoints(options.state_dir), standing);
        return apply_and_mirror(*kernel, *site, options.state_dir, OtherLifetime::replaced);
    } catch (...) {
        write_run_time_list(options.run_dir, former);
        throw;
    }
}

Transaction forget(const Options& options, const Standing& standing) {
    const auto kernel = make_linux_kernel({.tables = standing.tables});
    const ApplyLock lock(options.run_dir);
    const StatePaths paths(options.state_dir);
    auto change = take_down(*kernel);
    remove_ipset_mirror(options.state_dir);
    write_run_time_list(options.run_dir, {});
    remove_file(paths.applied);
    end_trial(paths);
    return change;
}

AppliedAgain apply_again(const Options& options, const Standing& standing) {
    auto wanted = load(options.config, false);
    const auto kernel = wanted.site ? open_kernel(options, *wanted.site, standing) : nullptr;
    AppliedAgain result{.change = {}, .maps_files = maps_files_of(wanted)};
    const ApplyLock lock(options.run_dir);
    const StatePaths paths(options.state_dir);
    if (const auto trial = read_trial(paths)) {
        if (!state_of(*trial, boot_clock(), boot_id()).restarted && trial_is_watched(options.run_dir)) {
            fmt::print(stderr,
                       "warning: a configuration is on trial and stays so until `natctl confirm` or `natctl "
                       "rollback`; {} is read after that\n",
                       options.config);
            result.change = apply_kept(options.run_dir, options.state_dir, paths.on_trial, standing);
            return result;
        }
        move_file(paths.on_trial, paths.refused);
        remove_file(paths.trial);
    }
    if (!wanted.site) return result;
    const auto text = keep(wanted, paths);
    for (const auto& rejected : {paths.refused, paths.on_trial}) {
        if (read_text(rejected) != text) continue;
        fmt::print(stderr,
                   "warning: {} was on trial and not confirmed: the configuration confirmed before is in place; "
                   "`natctl apply {}` applies it nevertheless\n",
                   options.config, options.config);
        result.change = apply_kept(options.run_dir, options.state_dir, paths.applied, standing);
        return result;
    }
    auto applied = apply_confirmed(*kernel, options.state_dir, *wanted.site, text);
    for (const auto& line : applied.warnings) warn_on_stderr(line);
    result.change = std::move(applied.change);
    return result;
}

} // namespace natctl
