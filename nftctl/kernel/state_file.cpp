// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/kernel/state_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"

namespace natctl {

namespace {

std::string name_while_new(const std::string& path) { return path + ".new"; }

const char* remedy_for(int error) {
    return error == ENOSPC || error == EDQUOT ? "make room on that file system, or choose another --state-dir" : "";
}

[[noreturn]] void fail(const char* verb, const std::string& path) {
    const int error = errno;
    throw SystemError(verb, path, error, remedy_for(error));
}

/// A rename or removal is in the directory, which is a file of its own.
void sync_directory_of(const std::string& path) {
    const std::string directory = std::filesystem::path(path).parent_path().string();
    const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd || ::fsync(fd.get()) < 0) fail("write", directory);
}

void write_whole(const std::string& path, std::string_view content) {
    const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) fail("write", path);
    while (!content.empty()) {
        const auto count = ::write(file.get(), content.data(), content.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) fail("write", path);
        content.remove_prefix(static_cast<std::size_t>(count));
    }
    if (::fsync(file.get()) < 0) fail("write", path);
}

} // namespace

void make_directory(const std::string& path) {
    std::error_code error;
    std::filesystem::create_directories(path, error);
    if (error) throw SystemError("create", path, error.value(), "run it as root, or choose another directory");
}

PreparedFile::PreparedFile(std::string path, std::string_view content) : path_(std::move(path)) {
    make_directory(std::filesystem::path(path_).parent_path().string());
    try {
        write_whole(name_while_new(path_), content);
    } catch (...) {
        ::unlink(name_while_new(path_).c_str());
        throw;
    }
}

PreparedFile::~PreparedFile() {
    if (!published_) ::unlink(name_while_new(path_).c_str());
}

void PreparedFile::publish() {
    if (::rename(name_while_new(path_).c_str(), path_.c_str()) < 0) fail("replace", path_);
    published_ = true;
    sync_directory_of(path_);
}

std::optional<std::string> read_text(const std::string& path) {
    const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        throw_errno("open", path);
    }
    std::string text;
    std::array<char, 4096> part{};
    while (true) {
        const auto size = check(::read(file.get(), part.data(), part.size()), "read", path);
        if (size == 0) return text;
        text.append(part.data(), static_cast<std::size_t>(size));
    }
}

bool remove_file(const std::string& path) {
    if (::unlink(path.c_str()) < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return false;
        fail("remove", path);
    }
    sync_directory_of(path);
    return true;
}

bool move_file(const std::string& from, const std::string& to) {
    if (::rename(from.c_str(), to.c_str()) < 0) {
        if (errno == ENOENT || errno == ENOTDIR) return false;
        fail("rename", from);
    }
    sync_directory_of(to);
    return true;
}

} // namespace natctl
