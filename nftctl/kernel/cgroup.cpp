// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/cgroup.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "nftctl/base/fd.h"

namespace natctl {

namespace {

const std::filesystem::path root = "/sys/fs/cgroup";

bool is_version_2(const std::filesystem::path& path) {
    struct statfs info {};
    return ::statfs(path.c_str(), &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

/// Alone, or beside the controllers of version 1.
std::filesystem::path mount_point() { return is_version_2(root) ? root : root / "unified"; }

} // namespace

std::optional<ControlGroup> find_cgroup(const std::string& path) {
    const auto whole = root / path;
    struct stat info {};
    if (!is_version_2(whole) || ::stat(whole.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return std::nullopt;
    const auto below = whole.lexically_normal().lexically_relative(mount_point());
    return ControlGroup{static_cast<std::uint32_t>(std::distance(below.begin(), below.end())), info.st_ino};
}

std::string cgroup_directory(const std::string& path) { return (root / path).lexically_normal().string(); }

std::string cgroup_path(std::uint64_t id) {
    // FILEID_KERNFS of linux/exportfs.h: a handle that is the id.
    constexpr int kernfs = 0xfe;
    std::string lost = "gone/" + std::to_string(id);
    const Fd mount(::open(mount_point().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (mount.get() < 0) return lost;
    alignas(file_handle) std::array<unsigned char, sizeof(file_handle) + sizeof id> bytes{};
    auto* const handle = reinterpret_cast<file_handle*>(bytes.data());
    handle->handle_bytes = sizeof id;
    handle->handle_type = kernfs;
    std::memcpy(handle->f_handle, &id, sizeof id);
    const Fd group(::open_by_handle_at(mount.get(), handle, O_PATH | O_CLOEXEC));
    if (group.get() < 0) return lost;
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(group.get()), error);
    return error ? lost : path.lexically_relative(root).string();
}

} // namespace natctl
