// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "nftctl/base/fd.h"
#include "nftctl/kernel/kernel.h"
#include "nftctl/plan/transaction.h"
#include "nftctl/site/site.h"

namespace natctl {

// What natctl and natctl-agent share around apply(): files, the lock, messages.

/// What every program and verb gets from the command line.
struct Options {
    std::string config = "/etc/natctl/site.toml";
    std::string run_dir = "/run/natctl";
    std::string state_dir = "/var/lib/natctl";
    bool json = false;
};

/// The site, or nullopt after its mistakes have been printed to stderr. Warnings are printed, notes only `with_notes`.
std::optional<Site> read_site(const std::string& path, bool with_notes = false);

/// The kernel, whose facts have the addresses of the site's endpoints as well: looking them up takes up to two seconds.
std::unique_ptr<Kernel> open_kernel(const Options& options, const Site& site);

/// Held while the kernel is changed, so that two appliers take turns: an flock on RUN_DIR/natctl.lock.
class ApplyLock {
public:
    explicit ApplyLock(const std::string& run_dir);

private:
    Fd fd_;
};

/// Keeps the configuration that was applied last as STATE_DIR/applied.toml, whole or not at all.
void remember_applied(const std::string& state_dir, const std::string& config);
void forget_applied(const std::string& state_dir);

/// Applies the configuration under the lock, remembers it, and warns on stderr about what this machine lacks. Returns
/// what was changed; nullopt when the configuration has mistakes, which have been printed then.
std::optional<Transaction> apply_file(const Options& options);

} // namespace natctl
