// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <csignal>
#include <string>

#include "nftctl/base/fd.h"

namespace natctl {

/// Held while the kernel and the state directory are changed, so that two appliers take turns: an flock on
/// RUN_DIR/natctl.lock. Signals that would end the program between two steps (an ssh session that breaks off, Ctrl-C)
/// wait until it is gone; waiting for the lock itself can be interrupted.
class ApplyLock {
public:
    explicit ApplyLock(const std::string& run_dir);
    ApplyLock(const ApplyLock&) = delete;
    ApplyLock& operator=(const ApplyLock&) = delete;
    ~ApplyLock();

private:
    Fd fd_;
    sigset_t former_{};
};

/// Whether somebody holds a lock on that file (flock(2)) that only one can have.
bool is_locked(const std::string& path);
/// Whether somebody holds any lock on it. Asking takes one for a moment: of two who ask at once, one may be told so.
bool is_locked_or_shared(const std::string& path);

} // namespace natctl
