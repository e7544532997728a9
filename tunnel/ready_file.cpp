// SPDX-License-Identifier: GPL-3.0-or-later
#include "tunnel/ready_file.h"

#include <cerrno>
#include <csignal>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"

namespace natctl {

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
