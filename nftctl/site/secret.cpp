// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/site/secret.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "nftctl/base/error.h"
#include "nftctl/base/fd.h"
#include "nftctl/site/quote.h"

namespace natctl {

namespace {

constexpr std::size_t longest_secret = 255;

struct Problem {
    int error;
    std::string cause;
    std::string remedy;
};

/// A path as a shell takes it.
std::string shell_word(std::string_view path) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@,";
    if (path.find_first_not_of(plain) == std::string_view::npos) return std::string(path);
    std::string word = "'";
    for (const char c : path) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + "'";
}

std::optional<Problem> find_problem(const struct stat& status, const std::string& path, const char* noun) {
    if (!S_ISREG(status.st_mode))
        return Problem{EINVAL, escape(path) + " is no regular file",
                       fmt::format("write the {} to a file of its own", noun)};
    const unsigned others = status.st_mode & (S_IRWXG | S_IRWXO);
    if (others != 0)
        return Problem{EACCES,
                       fmt::format("others may use {} (its mode is {:04o})", escape(path), status.st_mode & 07777),
                       "chmod 600 " + escape(shell_word(path))};
    return std::nullopt;
}

Problem cannot_open(const std::string& path, int error, const char* noun) {
    return {error, fmt::format("cannot open {}: {}", escape(path), std::generic_category().message(error)),
            error == ENOENT ? fmt::format("write the {} to this file, readable by its owner only (mode 600)", noun)
            : error == EACCES || error == EPERM ? "run this as root, or as the owner of the file"
                                                : "name a file that can be read"};
}

/// Opened without waiting, should it be a FIFO.
Fd open_file(const std::string& path) { return Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)); }

/// The secret goes to `secret`, unless there is a problem.
std::optional<Problem> read_into(std::string& secret, const Fd& fd, const std::string& path, const char* noun) {
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return cannot_open(path, errno, noun);
    if (auto problem = find_problem(status, path, noun)) return problem;

    // One byte more than fits, and the line break.
    std::array<char, longest_secret + 3> buffer{};
    std::size_t size = 0;
    while (size < buffer.size()) {
        const auto count = ::read(fd.get(), buffer.data() + size, buffer.size() - size);
        if (count == 0) break;
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return cannot_open(path, errno, noun);
        size += static_cast<std::size_t>(count);
    }
    std::string_view line(buffer.data(), size);
    line = line.substr(0, line.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.size() > longest_secret)
        return Problem{
            EINVAL,
            fmt::format("the first line of {} {}", escape(path), line.empty() ? "is empty" : "has more than 255 bytes"),
            fmt::format("write the {}, 1 to 255 bytes, on the first line", noun)};
    secret = line;
    std::ranges::fill(buffer, '\0');
    return std::nullopt;
}

} // namespace

std::optional<SecretProblem> find_secret_problem(const std::string& path, const char* noun) {
    std::optional<Problem> problem;
    std::string secret;
    if (const auto fd = open_file(path)) {
        problem = read_into(secret, fd, path, noun);
    } else {
        const int error = errno;
        struct stat status {};
        // Whoever checks a configuration need not be the one who may read its secrets.
        if (error == EACCES && ::stat(path.c_str(), &status) == 0)
            problem = find_problem(status, path, noun);
        else
            problem = cannot_open(path, error, noun);
    }
    if (!problem) return std::nullopt;
    return SecretProblem{std::move(problem->cause), std::move(problem->remedy)};
}

std::string read_secret(const std::string& path, const char* noun) {
    std::string secret;
    const auto fd = open_file(path);
    if (!fd) throw SystemError("read", escape(path), errno);
    if (const auto problem = read_into(secret, fd, path, noun))
        throw SystemError("read", escape(path), problem->error, problem->cause + ": " + problem->remedy);
    return secret;
}

} // namespace natctl
