// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "nftctl/plan/facts.h"

namespace natctl {

/// `path` below /sys/fs/cgroup, as nft writes it. nullopt when there is no such control group of version 2.
std::optional<ControlGroup> find_cgroup(const std::string& path);

/// Where that group is, if there is one.
std::string cgroup_directory(const std::string& path);

/// The inverse of find_cgroup(): the path of the group with this id. "gone/ID" when there is none any more: the kernel
/// keeps the rule, and nothing can match it.
std::string cgroup_path(std::uint64_t id);

} // namespace natctl
