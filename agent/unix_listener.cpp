// SPDX-License-Identifier: GPL-3.0-or-later
#include "agent/unix_listener.h"

#include <cerrno>

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nftctl/base/error.h"
#include "nftctl/socket/unix_address.h"

namespace natctl {

namespace {

constexpr int backlog = 64;

gid_t group_id(const std::string& name) {
    if (const auto* group = ::getgrnam(name.c_str())) return group->gr_gid;
    throw SystemError("find", "group " + name, ENOENT, "groupadd --system " + name);
}

/// Also of what a mistyped path names.
void spare_other_files(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode))
        throw SystemError("listen at", path, EEXIST, "it is no socket: choose another path");
}

} // namespace

Fd listen_at(const std::string& path, const std::string& group, const std::string& shorter) {
    const std::string fresh = path + ".new";
    const auto address = unix_address(fresh);
    if (!address) throw SystemError("listen at", path, ENAMETOOLONG, shorter);
    spare_other_files(path);
    spare_other_files(fresh);
    ::unlink(fresh.c_str());
    Fd socket(check(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "create", "a Unix socket"));
    check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address), "bind", path);
    // Nobody can connect before listen().
    if (!group.empty()) check(::chown(fresh.c_str(), static_cast<uid_t>(-1), group_id(group)), "protect", path);
    check(::chmod(fresh.c_str(), group.empty() ? S_IRUSR | S_IWUSR : S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP), "protect",
          path);
    check(::listen(socket.get(), backlog), "listen at", path);
    check(::rename(fresh.c_str(), path.c_str()), "create", path);
    return socket;
}

} // namespace natctl
