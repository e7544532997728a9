// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/child.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <span>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/child_record.h"
#include "nftctl/base/error.h"
#include "nftctl/kernel/state_file.h"

namespace natctl {

namespace {

constexpr std::size_t longest_line = 4096;
/// Room for what it says while no agent reads.
constexpr int log_room = 1 << 20;

/// The child's first moments: signals as usual, a session of its own so that no key on a terminal ends it, and its log
/// as output.
class Spawn {
public:
    explicit Spawn(int log) {
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawn_file_actions_init(&actions_);
        sigset_t none;
        sigset_t all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
        ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        ::posix_spawn_file_actions_adddup2(&actions_, log, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&actions_, log, STDERR_FILENO);
    }
    ~Spawn() {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    Spawn(const Spawn&) = delete;
    Spawn& operator=(const Spawn&) = delete;

    /// An errno; 0: it runs.
    int run(const std::vector<std::string>& words, pid_t& pid) const {
        std::vector<char*> arguments;
        for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
        arguments.push_back(nullptr);
        return ::posix_spawn(&pid, words.front().c_str(), &actions_, &attributes_, arguments.data(), ::environ);
    }

private:
    posix_spawnattr_t attributes_;
    posix_spawn_file_actions_t actions_;
};

std::string words_for(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) return fmt::format("exit code {}", info.si_status);
    return fmt::format("signal {} ({})", info.si_status, ::strsignal(info.si_status));
}

} // namespace

Child::Child(Loop& loop, std::string name, std::string run_dir, Journal& journal, Pauses pauses)
    : loop_(loop),
      name_(std::move(name)),
      run_dir_(std::move(run_dir)),
      journal_(journal),
      pauses_(pauses),
      pause_(pauses.first) {
    adopt();
}

Child::~Child() {
    if (process_) loop_.forget(process_.get());
    if (log_) loop_.forget(log_.get());
}

void Child::adopt() {
    const auto record = child_record_of(read_text(path(".child")).value_or(""));
    if (!record) return;
    auto process = open_process(*record);
    if (!process) return;
    open_log();
    begin(record->pid, std::move(process), record->command, std::chrono::steady_clock::now());
    wanted_ = running_;
    journal_.say(Weight::info, fmt::format("{} runs already (process {})", name_, pid_));
}

/// A FIFO instead of a pipe: with its reader gone, a pipe would end the child at its next word.
void Child::open_log() {
    if (log_) return;
    const auto fifo = path(".log");
    if (::mkfifo(fifo.c_str(), 0600) < 0 && errno != EEXIST) throw_errno("make", fifo);
    log_ = Fd(check(::open(fifo.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC), "open", fifo));
    ::fcntl(log_.get(), F_SETPIPE_SZ, log_room);
    loop_.watch(log_.get(), EPOLLIN, [this](std::uint32_t) { read_log(); });
}

void Child::want(std::optional<Command> command) {
    if (command == wanted_) return;
    wanted_ = std::move(command);
    pause_ = pauses_.first;
    not_before_ = {};
}

std::optional<Child::State> Child::state() const {
    if (!wanted_ && !runs()) return std::nullopt;
    return State{.name = name_, .process = runs() ? std::optional(pid_) : std::nullopt, .restarts = restarts_};
}

void Child::send(int signal) const {
    if (process_) ::syscall(SYS_pidfd_send_signal, process_.get(), signal, nullptr, 0);
}

void Child::tend(Time now) {
    if (process_ && running_ != wanted_) {
        if (!kill_at_) {
            send(SIGTERM);
            kill_at_ = now + pauses_.patience;
        } else if (now >= *kill_at_) {
            journal_.say(Weight::warning, fmt::format("{} does not end: killed", name_));
            send(SIGKILL);
            kill_at_ = now + pauses_.patience;
        }
    }
    if (!process_ && wanted_ && now >= not_before_) start(now);
}

Child::Time Child::due() const {
    if (process_) return running_ == wanted_ ? Time::max() : kill_at_.value_or(Time{});
    return wanted_ ? not_before_ : Time::max();
}

void Child::start(Time now) {
    try {
        open_log();
        pid_t pid = 0;
        if (const int error = Spawn(log_.get()).run(wanted_->words, pid); error != 0)
            throw SystemError("run", wanted_->words.front(), error);
        Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        if (!process) {
            // One that nobody watches would be started again and again.
            const int error = errno;
            ::kill(pid, SIGKILL);
            ::waitpid(pid, nullptr, 0);
            throw SystemError("watch", fmt::format("process {}", pid), error);
        }
        begin(pid, std::move(process), *wanted_, now);
        PreparedFile(path(".child"),
                     text_of({.pid = pid, .start = start_of_process(pid).value_or(0), .command = *wanted_}))
            .publish();
        journal_.say(Weight::info, fmt::format("{} runs (process {})", name_, pid));
    } catch (const SystemError& error) {
        journal_.say(Weight::error, error.what());
        back_off(now);
    }
}

void Child::back_off(Time now) {
    not_before_ = now + pause_;
    pause_ = std::min(pause_ * 2, pauses_.last);
}

void Child::begin(pid_t pid, Fd process, const Command& command, Time now) {
    process_ = std::move(process);
    pid_ = pid;
    running_ = command;
    began_ = now;
    kill_at_.reset();
    // Readable when it has ended (pidfd_open(2)).
    if (process_) loop_.watch(process_.get(), EPOLLIN, [this](std::uint32_t) { ended(); });
}

void Child::ended() {
    read_log();
    siginfo_t info{};
    const bool ours = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) == 0;
    loop_.forget(process_.get());
    process_ = Fd();
    remove_file(path(".child"));
    const auto now = std::chrono::steady_clock::now();
    const bool asked = kill_at_.has_value();
    if (asked) {
        not_before_ = {};
        journal_.say(Weight::info, fmt::format("{} has ended", name_));
    } else {
        ++restarts_;
        if (now - began_ >= pauses_.settled) pause_ = pauses_.first;
        const auto pause = std::chrono::ceil<std::chrono::milliseconds>(pause_).count();
        journal_.say(Weight::error, fmt::format("{} ended by itself{}, it is started again in {} ms", name_,
                                                ours ? ": " + words_for(info) : "", pause));
        back_off(now);
    }
    kill_at_.reset();
    running_.reset();
}

void Child::read_log() {
    if (!log_) return;
    std::array<char, 16384> part;
    // It may write faster than the log takes it: the rest waits for its turn.
    constexpr int most = 16;
    for (int i = 0; i < most; ++i) {
        const auto size = ::read(log_.get(), part.data(), part.size());
        if (size <= 0) return;
        for (const char c : std::span(part).first(static_cast<std::size_t>(size))) {
            if (c != '\n' && line_.size() < longest_line) {
                line_ += c;
                continue;
            }
            spdlog::info("{}: {}", name_, line_);
            line_.clear();
            if (c != '\n') line_ += c;
        }
    }
}

} // namespace natctl
