// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nftctl/kernel/kernel.h"
#include "nftctl/kernel/lock.h"
#include "nftctl/kernel/resolve.h"
#include "nftctl/kernel/run_time_list.h"
#include "nftctl/plan/transaction.h"
#include "nftctl/site/site.h"

namespace natctl {

namespace nft {
class Nftables;
}

// What natctl and natctl-agent share around apply(): files, the lock, messages. Each of these takes the lock.

/// What every program and verb gets from the command line.
struct Options {
    std::string config = "/etc/natctl/site.toml";
    std::string run_dir = "/run/natctl";
    std::string state_dir = "/var/lib/natctl";
    bool json = false;
};

/// What the endpoints of a site resolve to.
using FindEndpoints = std::function<Endpoints(const Site&)>;

/// The site, or nullopt after its mistakes have been printed to stderr. Warnings are printed, notes only `with_notes`.
std::optional<Site> read_site(const std::string& path, bool with_notes = false);

/// What a program that runs on brings along. natctl, which does one thing and ends, has nothing of it.
struct Standing {
    /// Without it the addresses of endpoints are looked up, which takes up to two seconds.
    FindEndpoints find = {};
    /// Where tables are read and changed, and to whom one belongs that is to be owned.
    std::shared_ptr<nft::Nftables> tables = {};
};

/// The kernel, whose facts have what was added to the white list at run time, and the addresses of the site's endpoints
/// as well.
std::unique_ptr<Kernel> open_kernel(const Options& options, const Site& site, const Standing& standing = {});

struct Applied {
    Transaction change;
    /// What this machine lacks for it, in words.
    std::vector<std::string> warnings = {};
};

/// Applies the configuration and keeps it as the confirmed one in STATE_DIR/applied.toml. A trial ends with it. nullopt
/// when the configuration has mistakes, which have been printed then.
std::optional<Applied> apply_file(const Options& options, const Standing& standing = {});

/// As apply_file(), but unless confirm() follows in time, a process of its own returns to the confirmed state, also
/// when this program, its terminal and its session are gone. Throws SystemError (EBUSY) when a trial is on already.
std::optional<Applied> apply_on_trial(const Options& options, std::chrono::seconds time, const Standing& standing = {});

/// Keeps what is on trial. Throws SystemError (ENOENT) when nothing is.
void confirm(const Options& options);

/// Kernel and files as they were last confirmed; nothing of ours where nothing ever was. Ends a trial.
Transaction roll_back(const Options& options, const Standing& standing = {});

/// From what is applied and what was added to the white list at run time to what shall be on it then.
using EditRunTimeList = std::function<std::vector<RunTimeRecord>(const Site&, std::vector<RunTimeRecord>)>;

/// Edits what was added to the white list at run time, and makes the kernel hold it with the configuration that is
/// applied now, confirmed or on trial. nullopt when nothing is.
std::optional<Transaction> change_run_time_list(const Options& options, const EditRunTimeList& edit,
                                                const Standing& standing = {});

/// Nothing of ours in kernel and files. Ends a trial.
Transaction forget(const Options& options, const Standing& standing = {});

/// For a start and for a reload that nobody may have asked for: as apply_file(), but what was put on trial does not
/// become permanent by it. While a trial is on, it stays so; a configuration whose trial ended unconfirmed (by time, or
/// by a restart of the machine) is not taken from site.toml again before it was changed, or applied by natctl: the
/// confirmed one is in place instead, and stderr says so.
struct AppliedAgain {
    /// nullopt when the configuration has mistakes.
    std::optional<Transaction> change;
    /// Maps files that the configuration names; of one with mistakes, those alone that have some.
    std::vector<std::string> maps_files = {};
};
AppliedAgain apply_again(const Options& options, const Standing& standing = {});

} // namespace natctl
