// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/lock.h"

#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/state_file.h"

namespace natctl {

namespace {

bool refuses(const std::string& path, int operation) {
    const Fd lock(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    return lock && ::flock(lock.get(), operation | LOCK_NB) < 0;
}

} // namespace

ApplyLock::ApplyLock(const std::string& run_dir) {
    const std::string path = run_dir + "/natctl.lock";
    const auto open = [&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); };
    fd_ = Fd(open());
    if (!fd_ && errno == ENOENT) {
        make_directory(run_dir);
        fd_ = Fd(open());
    }
    check(fd_.get(), "open", path);
    check(::flock(fd_.get(), LOCK_EX), "lock", path);
    sigset_t deferred;
    sigemptyset(&deferred);
    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGPIPE}) sigaddset(&deferred, number);
    sigprocmask(SIG_BLOCK, &deferred, &former_);
}

bool is_locked(const std::string& path) { return refuses(path, LOCK_SH); }

bool is_locked_or_shared(const std::string& path) { return refuses(path, LOCK_EX); }

ApplyLock::~ApplyLock() {
    // Released first: what was deferred may end the program now.
    fd_ = Fd();
    sigprocmask(SIG_SETMASK, &former_, nullptr);
}

} // namespace natctl
