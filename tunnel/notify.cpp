// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/notify.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"

namespace natctl {

void notify_service_manager(const std::string& state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (!path || (path[0] != '/' && path[0] != '@') || std::strlen(path) >= sizeof address.sun_path) return;
    const std::size_t length = std::strlen(path);
    std::memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = '\0';
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
    ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
}

ReadyFile::ReadyFile(std::filesystem::path path) : path_(std::move(path)) {
    pid_t process = 0;
    std::ifstream(path_) >> process;
    if (process <= 0 || (::kill(process, 0) != 0 && errno == ESRCH)) ::unlink(path_.c_str());
}

void ReadyFile::publish() {
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    if (error) throw SystemError("create", path_.parent_path().string(), error.value());
    const std::string fresh = path_.string() + ".new";
    const std::string content = std::to_string(::getpid()) + "\n";
    {
        const Fd file(
            check(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644), "create", fresh));
        check(::write(file.get(), content.data(), content.size()), "write", fresh);
    }
    check(::rename(fresh.c_str(), path_.c_str()), "create", path_.string());
    published_ = true;
}

ReadyFile::~ReadyFile() {
    if (published_) ::unlink(path_.c_str());
}

} // namespace natctl
