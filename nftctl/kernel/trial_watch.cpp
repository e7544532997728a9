// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/kernel/trial.h"

namespace natctl {

namespace {

constexpr time_t seconds_between_attempts = 5;

/// All it needs, opened by the caller: so that nothing can be refused to the process that waits.
struct Watch {
    Fd lock;
    /// Fires at the deadline, and every few seconds from then on.
    Fd timer;
    /// Tells of every change in the state directory. Without one it looks when the timer fires.
    Fd changes;
};

Watch open_watch(const std::string& run_dir, const StatePaths& paths, std::chrono::nanoseconds deadline) {
    Watch watch;
    make_directory(run_dir);
    const std::string path = run_dir + "/trial.lock";
    watch.lock = Fd(check(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600), "open", path));
    // Shared, as the one before may be about to end.
    check(::flock(watch.lock.get(), LOCK_SH), "lock", path);

    watch.timer = Fd(check(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK), "create", "a timer"));
    const auto seconds = std::chrono::floor<std::chrono::seconds>(deadline);
    itimerspec times{};
    times.it_value = {.tv_sec = seconds.count(), .tv_nsec = static_cast<long>((deadline - seconds).count())};
    times.it_interval = {.tv_sec = seconds_between_attempts, .tv_nsec = 0};
    check(::timerfd_settime(watch.timer.get(), TFD_TIMER_ABSTIME, &times, nullptr), "set", "a timer");

    const std::string directory = paths.trial.substr(0, paths.trial.rfind('/'));
    watch.changes = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (watch.changes)
        ::inotify_add_watch(watch.changes.get(), directory.c_str(), IN_DELETE | IN_MOVE | IN_DELETE_SELF);
    return watch;
}

/// Nothing of the caller stays: no terminal, no pipe that somebody reads to its end, no lock.
void let_go_of_everything_else(const Watch& watch, int go) {
    if (const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC)); null)
        for (int fd = 0; fd <= 2; ++fd) ::dup2(null.get(), fd);
    std::vector<unsigned> keep;
    for (const int fd : {watch.lock.get(), watch.timer.get(), watch.changes.get(), go})
        if (fd > 2) keep.push_back(static_cast<unsigned>(fd));
    std::ranges::sort(keep);
    unsigned first = 3;
    for (const unsigned fd : keep) {
        if (fd > first) ::close_range(first, fd - 1, 0);
        first = fd + 1;
    }
    ::close_range(first, ~0U, 0);

    for (const int number : {SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGPIPE}) ::signal(number, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    // It stays where it is then, which keeps a file system from being unmounted, no more.
    [[maybe_unused]] const int left = ::chdir("/");
    ::prctl(PR_SET_NAME, "natctl-trial");
}

void drain(const Fd& fd) {
    std::array<char, 4096> ignored{};
    while (fd && ::read(fd.get(), ignored.data(), ignored.size()) > 0) continue;
}

/// Ours while the record names this process.
bool goes_on(const StatePaths& paths) {
    const auto trial = read_trial(paths);
    return trial && trial->watch == ::getpid();
}

[[noreturn]] void wait_for_the_end(const Watch& watch, const StatePaths& paths,
                                   const std::function<void()>& when_over) {
    ::openlog("natctl", LOG_PID, LOG_DAEMON);
    while (true) {
        try {
            if (!goes_on(paths)) ::_exit(0);
            std::array<pollfd, 2> sources{pollfd{.fd = watch.timer.get(), .events = POLLIN, .revents = 0},
                                          pollfd{.fd = watch.changes.get(), .events = POLLIN, .revents = 0}};
            if (::poll(sources.data(), sources.size(), -1) < 0 && errno != EINTR) throw_errno("wait for", "a timer");
            drain(watch.changes);
            if ((sources[0].revents & POLLIN) == 0) continue;
            drain(watch.timer);
            if (!goes_on(paths)) ::_exit(0);
            when_over();
        } catch (const std::exception& error) {
            ::syslog(LOG_ERR, "%s; the configuration on trial is still in place, `natctl rollback` ends it",
                     error.what());
            // Not at full speed, should it fail at once again.
            ::poll(nullptr, 0, 1000);
        }
    }
}

/// In a child of the caller that is nobody's parent for long: the process that waits belongs to init.
[[noreturn]] void become_watch(const Watch& watch, int report, int go, const StatePaths& paths,
                               const std::function<void()>& when_over) {
    ::setsid();
    // Of a session without being its leader: no terminal can become ours.
    const pid_t child = ::fork();
    if (child != 0) ::_exit(child < 0 ? errno : 0);
    const pid_t self = ::getpid();
    if (::write(report, &self, sizeof self) != sizeof self) ::_exit(1);
    let_go_of_everything_else(watch, go);
    // The record is there, or its writer has failed or died.
    char ignored = 0;
    while (::read(go, &ignored, 1) < 0 && errno == EINTR) continue;
    ::close(go);
    wait_for_the_end(watch, paths, when_over);
}

struct Pipe {
    Fd read_end;
    Fd write_end;
};

Pipe make_pipe() {
    std::array<int, 2> ends{};
    check(::pipe2(ends.data(), O_CLOEXEC), "create", "a pipe");
    return {Fd(ends[0]), Fd(ends[1])};
}

} // namespace

void start_trial(const std::string& run_dir, const StatePaths& paths, std::chrono::nanoseconds deadline,
                 const std::function<void()>& when_over) {
    const Watch watch = open_watch(run_dir, paths, deadline);
    Pipe report = make_pipe();
    Pipe go = make_pipe();
    constexpr const char* process = "a process that returns to the former state";
    const pid_t child = check(::fork(), "start", process);
    if (child == 0) become_watch(watch, report.write_end.get(), go.read_end.get(), paths, when_over);
    report.write_end = Fd();
    pid_t pid = 0;
    ssize_t received = 0;
    while ((received = ::read(report.read_end.get(), &pid, sizeof pid)) < 0 && errno == EINTR) continue;
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (received != sizeof pid)
        throw SystemError("start", process,
                          WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : ECHILD);
    PreparedFile(paths.trial, text_of({.deadline = deadline, .boot = boot_id(), .watch = pid})).publish();
}

} // namespace natctl
