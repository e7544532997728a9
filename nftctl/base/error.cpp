// SPDX-License-Identifier: GPL-3.0-or-later
#include "nftctl/base/error.h"

#include <cerrno>
#include <system_error>

namespace natctl {

namespace {

std::string message(const std::string& verb, const std::string& object, int error, const std::string& remedy) {
    std::string text = "cannot " + verb + " " + object + ": " + std::generic_category().message(error);
    if (!remedy.empty()) text += "; " + remedy;
    return text;
}

} // namespace

SystemError::SystemError(const std::string& verb, const std::string& object, int error, const std::string& remedy)
    : std::runtime_error(message(verb, object, error, remedy)),
      error_(error) {}

void throw_errno(const char* verb, const std::string& object) {
    const int error = errno;
    throw SystemError(verb, object, error, error == EPERM || error == EACCES ? "run it as root" : "");
}

} // namespace natctl
