// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/trial.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <sstream>

#include <unistd.h>

#include "nftctl/kernel/lock.h"
#include "nftctl/kernel/state_file.h"

namespace natctl {

std::string text_of(const Trial& trial) {
    std::ostringstream text;
    text << "deadline " << trial.deadline.count() << "\nboot " << trial.boot << "\nwatch " << trial.watch << '\n';
    return std::move(text).str();
}

Trial trial_of(const std::string& text) {
    std::istringstream in(text);
    std::string deadline;
    std::string boot;
    std::string watch;
    Trial trial;
    std::chrono::nanoseconds::rep count = 0;
    if (in >> deadline >> count >> boot >> trial.boot >> watch >> trial.watch && deadline == "deadline" &&
        boot == "boot" && watch == "watch") {
        trial.deadline = std::chrono::nanoseconds(count);
        return trial;
    }
    return {};
}

std::chrono::nanoseconds boot_clock() {
    timespec now{};
    clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    file >> id;
    return id;
}

TrialState state_of(const Trial& trial, std::chrono::nanoseconds now, const std::string& boot) {
    if (trial.boot != boot) return {.left = {}, .restarted = true};
    const auto left = std::chrono::ceil<std::chrono::seconds>(trial.deadline - now);
    return {.left = std::max(left, std::chrono::seconds(0)), .restarted = false};
}

StatePaths::StatePaths(const std::string& state_dir)
    : applied(state_dir + "/applied.toml"),
      on_trial(state_dir + "/on-trial.toml"),
      trial(state_dir + "/trial"),
      refused(state_dir + "/refused.toml") {}

std::optional<Trial> read_trial(const StatePaths& paths) {
    const auto text = read_text(paths.trial);
    if (!text || ::access(paths.on_trial.c_str(), F_OK) < 0) return std::nullopt;
    return trial_of(*text);
}

bool trial_is_watched(const std::string& run_dir) { return is_locked_or_shared(run_dir + "/trial.lock"); }

} // namespace natctl
