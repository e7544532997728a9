// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/memory.h"

#include <cerrno>
#include <sstream>

#include <fmt/format.h>
#include <sys/stat.h>

#include "nftctl/base/error.h"
#include "nftctl/kernel/state_file.h"
#include "nftctl/kernel/trial.h"

namespace natctl {

namespace {

constexpr const char* namespace_path = "/proc/thread-self/ns/net";

std::string network_namespace() {
    struct stat status {};
    if (::stat(namespace_path, &status) != 0) throw SystemError("look at", namespace_path, errno);
    return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

std::optional<std::string> read_if_allowed(const std::string& path) {
    try {
        return read_text(path);
    } catch (const SystemError&) {
        return std::nullopt;
    }
}

} // namespace

Memory::Memory(const std::string& run_dir)
    : path_(run_dir + "/generation"),
      place_(boot_id() + " " + network_namespace()) {}

std::optional<Memory::Seen> Memory::recall() const {
    const auto text = read_if_allowed(path_);
    if (!text || !text->starts_with(place_ + " ")) return std::nullopt;
    std::istringstream rest(text->substr(place_.size()));
    Seen seen;
    std::string identity;
    if (!(rest >> seen.generation >> identity)) return std::nullopt;
    const auto address = Address::parse(identity);
    if (!address) return std::nullopt;
    seen.identity = *address;
    return seen;
}

void Memory::keep(const Seen& seen) {
    const auto text = fmt::format("{} {} {}\n", place_, seen.generation, seen.identity.text());
    try {
        if (read_if_allowed(path_) != text) PreparedFile(path_, text).publish();
    } catch (const SystemError&) {
        return;
    }
}

void Memory::follow(std::uint32_t first, std::uint32_t last) {
    auto seen = recall();
    if (!seen || seen->generation + 1 < first || seen->generation >= last) return;
    seen->generation = last;
    keep(*seen);
}

} // namespace natctl
