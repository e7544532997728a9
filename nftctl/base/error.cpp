// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/error.h"

#include <cerrno>
#include <system_error>

namespace natctl {

namespace {

/// The way out where whoever met the error knows none of his own.
const char* usual_remedy(int error) {
    switch (error) {
    case EPERM:
    case EACCES: return "run it as root";
    case ENOSPC:
    case EDQUOT: return "make room on that disk (df -h)";
    case EROFS: return "its file system is read-only: mount -o remount,rw";
    case EMFILE: return "raise the limit of open files (ulimit -n, LimitNOFILE=)";
    case ENFILE: return "raise fs.file-max (sysctl)";
    case ENOMEM:
    case ENOBUFS: return "the kernel has no memory left for it: stop something, or try again";
    case ENOTDIR: return "a part of that path is no directory";
    case EISDIR: return "that is a directory: name a file";
    case EBUSY:
    case EAGAIN: return "somebody else is at it: try again";
    case EBADMSG: return "this kernel says it in a way that natctl does not know: use a newer natctl";
    case EOPNOTSUPP:
    case EPROTONOSUPPORT:
    case EAFNOSUPPORT: return "this kernel cannot do it: `natctl doctor` names what it lacks";
    default: return "";
    }
}

std::string message(const std::string& verb, const std::string& object, int error, const std::string& remedy) {
    std::string text = "cannot " + verb + " " + object + ": " + std::generic_category().message(error);
    const std::string way_out = remedy.empty() ? usual_remedy(error) : remedy;
    if (!way_out.empty()) text += "; " + way_out;
    return text;
}

} // namespace

SystemError::SystemError(const std::string& verb, const std::string& object, int error, const std::string& remedy)
    : std::runtime_error(message(verb, object, error, remedy)),
      error_(error) {}

void throw_errno(const char* verb, const std::string& object) {
    const int error = errno;
    throw SystemError(verb, object, error);
}

} // namespace natctl
