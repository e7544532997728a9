// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "agent/journal.h"
#include "agent/loop.h"
#include "nftctl/base/fd.h"

namespace natctl {

/// A program that is to run, and what makes another run of it necessary.
struct Command {
    /// The first is its path.
    std::vector<std::string> words;
    /// Of what it reads at its start, such as its configuration.
    std::string revision;
    bool operator==(const Command&) const = default;
};

/// Keeps a program running: starts it anew when it ends, with pauses that grow while it ends soon, and passes on what
/// it says. It outlives the agent: another one that begins in the same run directory takes it over. Only stop() ends
/// it.
class Child {
public:
    using Time = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    struct Pauses {
        Duration first = std::chrono::milliseconds(500);
        /// Doubled from the first to the last.
        Duration last = std::chrono::seconds(30);
        /// What ran for so long has not failed at its start.
        Duration settled = std::chrono::seconds(60);
        /// Between SIGTERM and SIGKILL.
        Duration patience = std::chrono::seconds(10);
    };

    /// `name` as people know it, and part of names of files in `run_dir`.
    Child(Loop& loop, std::string name, std::string run_dir, Journal& journal, Pauses pauses);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    /// What is to run from now on; nullopt: nothing. Another command replaces the one that runs.
    void want(std::optional<Command> command);
    /// If it runs.
    void send(int signal) const;

    void tend(Time now);
    /// When to call tend() next; Time::max(): never.
    Time due() const;

    bool runs() const { return bool(process_); }

    struct State {
        std::string name;
        /// Absent while it does not run.
        std::optional<pid_t> process;
        /// How often it ended by itself since the agent began.
        unsigned restarts = 0;
    };
    /// nullopt: nobody wants it.
    std::optional<State> state() const;

private:
    std::string path(const char* suffix) const { return run_dir_ + "/" + name_ + suffix; }
    /// Of an agent before this one. It is wanted until want() says otherwise.
    void adopt();
    void open_log();
    void start(Time now);
    void begin(pid_t pid, Fd process, const Command& command, Time now);
    void ended();
    void back_off(Time now);
    void read_log();

    Loop& loop_;
    std::string name_;
    std::string run_dir_;
    Journal& journal_;
    Pauses pauses_;

    std::optional<Command> wanted_;
    std::optional<Command> running_;
    /// A pidfd.
    Fd process_;
    pid_t pid_ = 0;
    Time began_{};
    /// When SIGKILL follows.
    std::optional<Time> kill_at_;

    Duration pause_;
    Time not_before_{};
    unsigned restarts_ = 0;
    /// The reading end of a FIFO, and a line that is not complete yet.
    Fd log_;
    std::string line_;
};

} // namespace natctl
